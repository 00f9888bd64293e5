#include "app/topic_peek.h"

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "base/text.h"
#include "serde/json_writer.h"
#include "stream/input.h"

namespace adbrook::app {
namespace {

using serde::JsonWriter;

constexpr std::size_t kFetchSize = std::size_t{1} << 20;
// A compacted topic may have long holes; who looks further names an offset.
constexpr int kFetchesMax = 8;

ByteView first_of(ByteView bytes, std::size_t most) {
  return bytes.first(std::min(bytes.size(), most));
}

// Text when it is some, else hex under the name with "_hex".
void write_text_or_hex(JsonWriter& json, const std::string& name,
                       const std::optional<ByteView>& bytes) {
  if (!bytes) {
    json.key(name);
    json.null();
  } else if (is_valid_utf8(as_text(*bytes))) {
    json.field(name, as_text(*bytes));
  } else {
    json.field(name + "_hex", std::string_view(hex(first_of(*bytes, TopicPeek::kHexBytesMax))));
  }
}

}  // namespace

Result<void> TopicPeek::read(Offset begin, std::size_t limit) {
  next_ = begin;
  for (int i = 0; i < kFetchesMax && count_ < limit; ++i) {
    const auto fetched = bus_.fetch(partition_, next_, kFetchSize);
    if (!fetched) return std::unexpected(fetched.error());
    if (fetched->next <= next_) break;  // the end
    for (const auto& batch : fetched->batches) {
      const auto bytes = ByteView(fetched->bytes).subspan(batch.index_begin, batch.size);
      if (auto done = read_batch(bytes, batch.append_time, begin, limit); !done) return done;
      if (count_ == limit) return {};
    }
    next_ = fetched->next;
  }
  return {};
}

Result<void> TopicPeek::read_batch(ByteView bytes, Timestamp append_time, Offset begin,
                                   std::size_t limit) {
  const auto header = record::read_header(bytes);
  if (!header) return std::unexpected(header.error());
  if (header->control()) return {};
  auto reader = record::BatchReader::open(bytes, stream::kDecompressedSizeMax);
  if (!reader) return std::unexpected(reader.error());
  record::RecordView record;
  while (count_ < limit) {
    const auto more = reader->next(record);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    if (record.offset < begin) continue;
    write(record, append_time);
    next_ = record.offset + 1;
  }
  return {};
}

void TopicPeek::write(const record::RecordView& record, Timestamp append_time) {
  if (count_++ > 0) records_ += ',';
  JsonWriter json(records_);
  json.begin_object();
  json.field("offset", record.offset.value);
  json.field("timestamp", std::string_view(format_time(record.timestamp)));
  json.field("append_time", std::string_view(format_time(append_time)));
  write_text_or_hex(json, "key", record.key);
  const ShownValue value = values_.show(record.value);
  if (value.is_json) {
    json.key("value");
    json.raw(value.text);
  } else {
    write_text_or_hex(json, "text", record.value);
  }
  json.field("size", static_cast<std::int64_t>(record.value ? record.value->size() : 0));
  json.field("hex",
             std::string_view(hex(first_of(record.value.value_or(ByteView{}), kHexBytesMax))));
  json.key("headers");
  json.begin_array();
  if (const auto headers = record::read_headers(record)) {
    for (const record::Header& header : *headers) {
      json.begin_object();
      json.field("name", header.key);
      write_text_or_hex(json, "value", header.value);
      json.end_object();
    }
  }
  json.end_array();
  json.end_object();
}

std::string TopicPeek::to_json(const log::Ends& ends) && {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("topic", std::string_view(partition_.topic));
  json.field("partition", std::int64_t{partition_.number});
  json.field("start", ends.start.value);
  json.field("end", ends.stable.value);
  json.field("next", next_.value);
  json.key("records");
  json.begin_array();
  if (count_ > 0) json.raw(records_);
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace adbrook::app
