// The command line. IncludeOS's own os::cmdline_args() has been seen to be empty, so it is read where the loader put it.
#pragma once

#include <string_view>

namespace shoal::on_includeos {

/// Lives as long as the machine.
std::string_view boot_text();

}  // namespace shoal::on_includeos
