#include "stream/origin.h"

#include <cstring>

namespace adbrook::stream {

namespace {

constexpr std::string_view kHeaderKey = "origin";
constexpr std::size_t kValueSize = 20;
// Zig-zag varint of the key's size, the key, zig-zag varint of the value's size. A record of ours
// has no other header, so that reading it is a comparison and three loads.
constexpr std::string_view kEncodedPrefix =
    "\x0C"
    "origin"
    "\x28";

}  // namespace

std::span<const record::Header> OriginHeader::make(const RecordOrigin& origin) {
  store_be(value_.data(), origin.partition);
  store_be(value_.data() + 4, origin.offset.value);
  store_be(value_.data() + 12, origin.append_time.ms);
  header_ = {kHeaderKey, ByteView(value_)};
  return {&header_, 1};
}

std::optional<RecordOrigin> read_origin(const record::RecordView& record) {
  if (record.header_count != 1 || record.headers.size() != kEncodedPrefix.size() + kValueSize ||
      !as_text(record.headers).starts_with(kEncodedPrefix))
    return std::nullopt;
  const std::byte* value = record.headers.data() + kEncodedPrefix.size();
  return RecordOrigin{load_be<std::int32_t>(value),
                      {load_be<std::int64_t>(value + 4)},
                      {load_be<std::int64_t>(value + 12)}};
}

}  // namespace adbrook::stream
