// The secret that makes click links ours: 32 random bytes in the data directory's file `click.key`,
// made at the first start.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file_system.h"
#include "io/random.h"

namespace adbrook::app {

inline constexpr std::size_t kClickKeySize = 32;

// Makes the key when there is none. corrupt: the file has another size.
Result<Buffer> load_or_make_click_key(io::FileSystem& files, io::Random& random,
                                      const std::string& data_directory);
// not_found: the engine was never started on this directory.
Result<Buffer> load_click_key(io::FileSystem& files, const std::string& data_directory);

}  // namespace adbrook::app
