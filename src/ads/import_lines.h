// Lines and CSV records of a file, with their numbers and their bytes as they lie there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ads/import_bytes.h"

namespace adbrook::ads {

// One line, or one CSV record with the quoted line ends inside of it.
struct ImportLine {
  std::string_view bytes;    // without its line end; valid until the next call
  std::uint64_t number = 0;  // of its first line, counted from 1
  bool is_whole = true;      // false: longer than kImportLineSizeMax, the rest was dropped
};
inline constexpr std::size_t kImportLineSizeMax = 1 << 20;

// Owned by one thread.
class ImportLines {
 public:
  explicit ImportLines(ImportBytes bytes) : bytes_(std::move(bytes)) {}

  // False at the end. After an error in the file what was read of the last line is given first,
  // as a line of its own, then the error.
  Result<bool> next(ImportLine& line);
  // The same for one CSV record (RFC 4180): a line end between quotes belongs to it.
  Result<bool> next_record(ImportLine& line);

  std::uint64_t position() const { return bytes_.position(); }
  std::uint64_t size() const { return bytes_.size(); }

 private:
  Result<bool> read_raw(std::string& to, bool& is_whole);

  ImportBytes bytes_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(64 << 10);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t line_count_ = 0;
  std::string line_;
};

// Splits one CSV record into its values, quotes removed and doubled quotes halved. Values are views
// into `record` or into `unquoted`, which must not change while they are used. False when a quote
// is not closed or text follows a closing quote.
bool split_csv(std::string_view record, char delimiter, std::vector<std::string_view>& values,
               std::string& unquoted);

}  // namespace adbrook::ads
