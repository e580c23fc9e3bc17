/* wasm-rt.h wants a type of this name. */
#pragma once
typedef void* jmp_buf[5];
