// What the C library would ask the host for, and the module does not need: environment variables
// (simdjson looks for a debugging switch) and signals (abort raises one). Without them the module
// imports nothing but embind and memory growth.
#include <cstdlib>

extern "C" {

char* getenv(const char* /*name*/) { return nullptr; }

int raise(int /*signal*/) { __builtin_trap(); }

void abort() { __builtin_trap(); }

}  // extern "C"
