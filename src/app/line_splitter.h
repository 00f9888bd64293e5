// Cuts a stream of bytes into records at a delimiter, and a record into key and value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace adbrook::app {

// Owned by one thread.
class LineSplitter {
 public:
  static constexpr std::size_t kRecordSizeMax = std::size_t{64} << 20;

  // The delimiter is not empty.
  explicit LineSplitter(std::string delimiter) : delimiter_(std::move(delimiter)) {}

  void add(std::string_view bytes);
  // The next whole record, valid until the next call of anything.
  std::optional<std::string_view> next();
  // What is left behind the last delimiter, once no more bytes come.
  std::string_view rest() const { return std::string_view(bytes_).substr(begin_); }
  // Whether a record without an end is longer than anybody would take.
  bool is_too_long() const { return bytes_.size() - begin_ > kRecordSizeMax; }

 private:
  std::string delimiter_;
  std::string bytes_;
  std::size_t begin_ = 0;     // of the record that next() gives
  std::size_t searched_ = 0;  // no delimiter begins before
};

// Key and value around the first delimiter; without one there is no key.
std::pair<std::optional<std::string_view>, std::string_view> split_key(std::string_view record,
                                                                       std::string_view delimiter);

}  // namespace adbrook::app
