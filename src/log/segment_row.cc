#include "log/segment_row.h"

#include <array>

#include "base/assert.h"
#include "base/hash.h"

namespace adbrook::log {
namespace {

constexpr std::size_t kRowCrcAt = 12;
constexpr std::size_t kTimesAt = 16;

std::uint32_t row_crc(ByteView row, Offset base) {
  std::array<std::byte, 8> front;
  store_le(front.data(), base.value);
  return crc32c(row.subspan(kTimesAt), crc32c(row.first(kRowCrcAt), crc32c(front)));
}

}  // namespace

void encode_segment_row(Buffer& to, Offset base, const SegmentRow& row) {
  const std::size_t at = to.size();
  to.resize(at + kSegmentRowSize);
  std::byte* const out = to.data() + at;
  store_le(out, static_cast<std::uint32_t>(row.first - base));
  store_le(out + 4, row.position);
  store_le(out + 8, row.size);
  store_le(out + kTimesAt, row.append_time.ms);
  store_le(out + kTimesAt + 8, row.max_timestamp.ms);
  store_le(out + kRowCrcAt, row_crc(ByteView(to).subspan(at), base));
}

Result<SegmentRow> read_segment_row(ByteView bytes, Offset base) {
  ADBROOK_ASSERT(bytes.size() == kSegmentRowSize, "a row is read whole");
  const std::byte* const in = bytes.data();
  if (load_le<std::uint32_t>(in + kRowCrcAt) != row_crc(bytes, base))
    return fail(ErrorKind::corrupt, "a row's checksum does not hold");
  return SegmentRow{.first = base + load_le<std::uint32_t>(in),
                    .position = load_le<std::uint32_t>(in + 4),
                    .size = load_le<std::uint32_t>(in + 8),
                    .append_time = {load_le<std::int64_t>(in + kTimesAt)},
                    .max_timestamp = {load_le<std::int64_t>(in + kTimesAt + 8)}};
}

}  // namespace adbrook::log
