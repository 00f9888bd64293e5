#include "ads/impression_summary.h"

namespace adbrook::ads {
namespace {

std::optional<std::int64_t> first_click_delay(const ImpressionSummary& summary) {
  if (summary.clicks.empty()) return std::nullopt;
  return (summary.clicks.front().timestamp - summary.timestamp).count();
}

std::size_t clicks_size(std::span<const SummaryClick> clicks) {
  if (clicks.empty()) return 1;
  std::size_t size = serde::avro_size(static_cast<std::int64_t>(clicks.size())) + 1;
  for (const SummaryClick& click : clicks) size += 16 + serde::avro_size(click.timestamp.ms);
  return size;
}

}  // namespace

std::size_t value_size(const ImpressionSummary& summary) {
  return kValueHeaderSize + 16 + serde::avro_size(summary.timestamp.ms) + avro_size(summary.under) +
         serde::avro_size(summary.price_micros) + text_or_null_size(summary.currency) +
         clicks_size(summary.clicks) + serde::avro_size(first_click_delay(summary));
}

void write_value(std::span<std::byte> to, const ImpressionSummary& summary) {
  write_value_header(to.data(), kImpressionSummarySchemaId);
  serde::AvroWriter out(to.subspan(kValueHeaderSize));
  write(out, summary.id);
  out.write_long(summary.timestamp.ms);
  write(out, summary.under);
  out.write_optional(summary.price_micros);
  write_text_or_null(out, summary.currency);
  if (!summary.clicks.empty()) {
    out.write_long(static_cast<std::int64_t>(summary.clicks.size()));
    for (const SummaryClick& click : summary.clicks) {
      write(out, click.id);
      out.write_long(click.timestamp.ms);
    }
  }
  out.write_long(0);
  out.write_optional(first_click_delay(summary));
  ADBROOK_ASSERT(out.left() == 0, "a summary fills exactly the size computed for it");
}

Result<ImpressionSummary> read_impression_summary(ByteView value,
                                                  std::vector<SummaryClick>& clicks) {
  const auto body = value_body(value, kImpressionSummarySchemaId);
  if (!body) return fail(ErrorKind::corrupt, "impression summary: the value has another schema id");
  serde::AvroReader in(*body);
  ImpressionSummary summary{.id = read_uuid(in), .timestamp = {in.read_long()}};
  read(in, summary.under);
  summary.price_micros = in.read_optional_long();
  summary.currency = read_text_or_null(in);
  clicks.clear();
  constexpr std::size_t kClickSizeMin = 17;
  while (const std::size_t count = in.read_block_count(kClickSizeMin))
    for (std::size_t i = 0; i < count && in.ok(); ++i)
      clicks.push_back({read_uuid(in), {in.read_long()}});
  in.read_optional_long();
  if (!in.done()) return fail(ErrorKind::corrupt, "impression summary: the value does not parse");
  summary.clicks = clicks;
  return summary;
}

}  // namespace adbrook::ads
