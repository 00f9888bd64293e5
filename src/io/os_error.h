// Turns an errno of the kernel into our error kind and a sentence for a person. Only `io/` uses it.
#pragma once

#include <string_view>

#include "base/result.h"

namespace adbrook::io {

// "cannot <what> '<where>': <the kernel's words>; <what to do next>". `where` is shown printable.
Error os_error(std::string_view what, std::string_view where, int code);

}  // namespace adbrook::io
