/* What generated code asks of <math.h>, for SSE2 alone. The caller has dealt with NaN. Compiled with -frounding-math, so that no sum below
   is simplified away. */
#pragma once
#include <stdint.h>

#define NAN __builtin_nanf("")
#define INFINITY __builtin_inff()
#define isnan(x) __builtin_isnan(x)
#define signbit(x) __builtin_signbit(x)

static inline double fabs(double x) { return __builtin_fabs(x); }
static inline float fabsf(float x) { return __builtin_fabsf(x); }
static inline double copysign(double x, double y) { return __builtin_copysign(x, y); }
static inline float copysignf(float x, float y) { return __builtin_copysignf(x, y); }

static inline double sqrt(double x) {
  double root;
  __asm__("sqrtsd %1, %0" : "=x"(root) : "x"(x));
  return root;
}
static inline float sqrtf(float x) {
  float root;
  __asm__("sqrtss %1, %0" : "=x"(root) : "x"(x));
  return root;
}

/* From here on numbers have no fraction, and infinities do not either. */
#define SHOAL_WHOLE_F64 4503599627370496.0 /* 2^52 */
#define SHOAL_WHOLE_F32 8388608.0f         /* 2^23 */

static inline double trunc(double x) {
  if (!(__builtin_fabs(x) < SHOAL_WHOLE_F64)) return x;
  return __builtin_copysign((double)(int64_t)x, x); /* -0.5 becomes -0 */
}
static inline float truncf(float x) {
  if (!(__builtin_fabsf(x) < SHOAL_WHOLE_F32)) return x;
  return __builtin_copysignf((float)(int32_t)x, x);
}
static inline double floor(double x) {
  const double whole = trunc(x);
  return whole > x ? whole - 1 : whole;
}
static inline float floorf(float x) {
  const float whole = truncf(x);
  return whole > x ? whole - 1 : whole;
}
static inline double ceil(double x) {
  const double whole = trunc(x);
  return whole < x ? __builtin_copysign(whole + 1, x) : whole;
}
static inline float ceilf(float x) {
  const float whole = truncf(x);
  return whole < x ? __builtin_copysignf(whole + 1, x) : whole;
}

/* To the nearest, ties to even: the processor's own rounding, where the last bit of a sum is worth one. */
static inline double nearbyint(double x) {
  if (!(__builtin_fabs(x) < SHOAL_WHOLE_F64)) return x;
  const double whole = __builtin_copysign(SHOAL_WHOLE_F64, x);
  volatile double sum = x + whole;
  return __builtin_copysign(sum - whole, x);
}
static inline float nearbyintf(float x) {
  if (!(__builtin_fabsf(x) < SHOAL_WHOLE_F32)) return x;
  const float whole = __builtin_copysignf(SHOAL_WHOLE_F32, x);
  volatile float sum = x + whole;
  return __builtin_copysignf(sum - whole, x);
}
