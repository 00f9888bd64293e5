#include "ads/import_lines.h"

#include <algorithm>
#include <cstring>

namespace adbrook::ads {

// Appends one line with its end. False when there is none.
Result<bool> ImportLines::read_raw(std::string& to, bool& is_whole) {
  bool found = false;
  for (;;) {
    if (begin_ == end_) {
      const auto count = bytes_.read(buffer_);
      if (!count) {
        if (found) return true;
        return std::unexpected(count.error());
      }
      begin_ = 0;
      end_ = *count;
      if (end_ == 0) return found;
    }
    found = true;
    const std::byte* const first = buffer_.data() + begin_;
    const void* const newline = std::memchr(first, '\n', end_ - begin_);
    const std::size_t count =
        newline ? static_cast<std::size_t>(static_cast<const std::byte*>(newline) - first) + 1
                : end_ - begin_;
    // The line end may lie just behind the limit.
    constexpr std::size_t kKeptMax = kImportLineSizeMax + 2;
    const std::size_t room = kKeptMax - std::min(to.size(), kKeptMax);
    is_whole = is_whole && count <= room;
    to.append(reinterpret_cast<const char*>(first), std::min(count, room));
    begin_ += count;
    if (newline) return true;
  }
}

Result<bool> ImportLines::next(ImportLine& line) {
  line_.clear();
  line = ImportLine{.number = line_count_ + 1};
  const auto read = read_raw(line_, line.is_whole);
  if (!read || !*read) return read;
  ++line_count_;
  line.bytes = line_;
  if (line.bytes.ends_with('\n')) line.bytes.remove_suffix(1);
  if (line.bytes.ends_with('\r')) line.bytes.remove_suffix(1);
  return true;
}

Result<bool> ImportLines::next_record(ImportLine& line) {
  line_.clear();
  line = ImportLine{.number = line_count_ + 1};
  std::size_t counted = 0, quote_count = 0;
  do {
    const auto read = read_raw(line_, line.is_whole);
    if (!read && line_.empty()) return read;
    if (!read || !*read) break;  // what is there of the record comes first
    ++line_count_;
    quote_count += static_cast<std::size_t>(
        std::count(line_.begin() + static_cast<std::ptrdiff_t>(counted), line_.end(), '"'));
    counted = line_.size();
  } while (quote_count % 2 == 1 && line.is_whole);
  if (line_.empty()) return false;
  line.bytes = line_;
  if (line.bytes.ends_with('\n')) line.bytes.remove_suffix(1);
  if (line.bytes.ends_with('\r')) line.bytes.remove_suffix(1);
  return true;
}

bool split_csv(std::string_view record, char delimiter, std::vector<std::string_view>& values,
               std::string& unquoted) {
  values.clear();
  unquoted.clear();
  unquoted.reserve(record.size());  // no unquoted text is longer, so views into it stay
  std::size_t at = 0;
  for (;;) {
    if (at == record.size() || record[at] != '"') {
      const std::size_t end = std::min(record.find(delimiter, at), record.size());
      values.push_back(record.substr(at, end - at));
      at = end;
    } else {
      const std::size_t first = unquoted.size();
      for (++at;; ++at) {
        if (at == record.size()) return false;
        if (record[at] == '"' && (++at == record.size() || record[at] != '"')) break;
        unquoted += record[at];
      }
      values.push_back(std::string_view(unquoted).substr(first));
    }
    if (at == record.size()) return true;
    if (record[at] != delimiter) return false;
    ++at;
  }
}

}  // namespace adbrook::ads
