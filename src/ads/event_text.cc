#include "ads/event_text.h"

#include <algorithm>
#include <cstring>

namespace adbrook::ads {

char* EventText::room(std::size_t size) {
  if (chunks_.empty() || chunks_.back().size - used_ < size) {
    const std::size_t chunk_size = std::max(kChunkSize, size);
    chunks_.push_back({std::make_unique_for_overwrite<char[]>(chunk_size), chunk_size});
    memory_ += chunk_size;
    used_ = 0;
  }
  char* at = chunks_.back().bytes.get() + used_;
  used_ += size;
  return at;
}

std::string_view EventText::keep(std::string_view text) {
  if (text.empty()) return {};
  char* at = room(text.size());
  std::memcpy(at, text.data(), text.size());
  return {at, text.size()};
}

void EventText::clear() {
  if (chunks_.size() > 1) chunks_.resize(1);
  // A first chunk that one huge text made large would stay for ever.
  if (!chunks_.empty() && chunks_[0].size > kChunkSize) chunks_.clear();
  memory_ = chunks_.empty() ? 0 : chunks_[0].size;
  used_ = 0;
}

}  // namespace adbrook::ads
