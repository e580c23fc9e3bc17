/* The compiler and the machine, as lwIP wants to know them. There is no libc here. */
#ifndef SHOAL_LWIP_CC_H
#define SHOAL_LWIP_CC_H

#include <limits.h>

#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_CTYPE_H 1
#define X8_F "02x"
#define U16_F "u"
#define U32_F "u"
#define S16_F "d"
#define S32_F "d"
#define X16_F "x"
#define X32_F "x"
#define SZT_F "lu"

typedef long ssize_t;
#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX
#endif

#ifdef __cplusplus
extern "C" {
#endif
void shoal_lwip_failed(const char* what);
unsigned shoal_random(void);
unsigned short shoal_checksum(const void* bytes, int size);
#ifdef __cplusplus
}
#endif

#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(what) shoal_lwip_failed(what)
#define LWIP_RAND() shoal_random()
#define LWIP_CHKSUM shoal_checksum

#endif
