// The service that Shoal ships: text in, text out.
#include "operations.h"

namespace shoal {
namespace {

constexpr Operation kOperations[] = {
    {"upper", run_upper}, {"lower", run_lower},   {"reverse", run_reverse}, {"count", run_count},
    {"freq", run_freq},   {"sha256", run_sha256}, {"spin", run_spin},
#ifdef SHOAL_TEST_IMAGE
    {"hang", run_hang},   {"crash", run_crash},   {"flood", run_flood},     {"chunks", run_chunks},
    {"dial", run_dial},   {"say", run_say},       {"blurt", run_blurt},
#endif
};

}  // namespace

const Service service = {kOperations, /*idempotent=*/true};

}  // namespace shoal
