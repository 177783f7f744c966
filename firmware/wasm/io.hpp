// The buffer through which the host of the WebAssembly module hands bytes over and takes them back.
#pragma once
#include <cstddef>
#include <cstdint>

#if defined(__wasm__)
#define WM_EXPORT(name) extern "C" __attribute__((export_name(#name)))
#else
#define WM_EXPORT(name) extern "C"
#endif

constexpr size_t ioBytes = 2048;

extern "C" uint8_t wm_io_buffer[ioBytes];

// Address of the buffer in the module's memory.
WM_EXPORT(wm_io) uint8_t* wm_io();
