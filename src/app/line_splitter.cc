#include "app/line_splitter.h"

#include <algorithm>

namespace adbrook::app {

void LineSplitter::add(std::string_view bytes) {
  bytes_.erase(0, begin_);
  searched_ -= std::min(searched_, begin_);
  begin_ = 0;
  bytes_ += bytes;
}

std::optional<std::string_view> LineSplitter::next() {
  const std::size_t at = bytes_.find(delimiter_, std::max(searched_, begin_));
  if (at == std::string::npos) {
    // A delimiter of several bytes may be cut in two.
    const std::size_t tail = delimiter_.size() - 1;
    searched_ = std::max(begin_, bytes_.size() - std::min(bytes_.size(), tail));
    return std::nullopt;
  }
  const std::string_view record = std::string_view(bytes_).substr(begin_, at - begin_);
  begin_ = searched_ = at + delimiter_.size();
  return record;
}

std::pair<std::optional<std::string_view>, std::string_view> split_key(std::string_view record,
                                                                       std::string_view delimiter) {
  const std::size_t at = delimiter.empty() ? std::string_view::npos : record.find(delimiter);
  if (at == std::string_view::npos) return {std::nullopt, record};
  return {record.substr(0, at), record.substr(at + delimiter.size())};
}

}  // namespace adbrook::app
