// How a join calls its function: with a row where one is always there, with a std::optional in the
// place of a row that may be absent.
#pragma once

#include <optional>
#include <string_view>
#include <type_traits>

#include "base/assert.h"
#include "stream/join/join_buffer.h"
#include "stream/keyed/serde.h"
#include "stream/keyed/step_bytes.h"

namespace adbrook::stream {

constexpr std::string_view word_of(JoinKind kind) {
  return kind == JoinKind::inner ? "join" : kind == JoinKind::left ? "left_join" : "outer_join";
}

// What a serde wrote, in a row that keeps its memory.
template <class V>
const V& read_stored(V& row, ByteView bytes) {
  const bool read = Serde<V>::decode(bytes, row);
  ADBROOK_ASSERT(read, "a serde reads what it wrote");
  return row;
}

// One argument of a joiner, made anew for each call in the memory of the last one.
template <class V, bool kMayBeAbsent>
class JoinerArgument {
 public:
  using Type = std::conditional_t<kMayBeAbsent, const std::optional<V>&, const V&>;

  Type of(const V& row) {
    if constexpr (!kMayBeAbsent)
      return row;
    else
      return row_ = row;
  }
  Type stored(ByteView bytes, StepBytes& step_bytes) {
    if constexpr (kBorrowsBytes<V>) bytes = step_bytes.keep(bytes);
    return in_place(bytes);
  }
  // For bytes that stay until the batch is through.
  Type in_place(ByteView bytes) {
    if (!row_) row_.emplace();
    read_stored(*row_, bytes);
    if constexpr (!kMayBeAbsent)
      return *row_;
    else
      return row_;
  }
  Type absent() const
    requires kMayBeAbsent
  {
    return absent_;
  }

 private:
  std::optional<V> row_, absent_;
};

template <class F, class LeftArgument, class RightArgument>
using JoinResult = std::remove_cvref_t<
    std::invoke_result_t<F&, typename LeftArgument::Type, typename RightArgument::Type>>;

}  // namespace adbrook::stream
