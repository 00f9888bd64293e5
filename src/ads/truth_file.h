// Writes and reads a Truth as a file; the format is drawn in docs/formats/truth.md.
#pragma once

#include <string>

#include "ads/truth.h"
#include "base/result.h"
#include "io/file_system.h"

namespace adbrook::ads {

// Replaces the file; gzip when the path ends in ".gz". On the disk when it returns. After an error
// the file is incomplete, which the reader notices.
Result<void> write_truth(io::FileSystem& files, const std::string& path, const Truth& truth);

// A file that is cut, damaged or of another version is refused with its line.
Result<Truth> read_truth(io::FileSystem& files, const std::string& path);

}  // namespace adbrook::ads
