#include "app/value_text.h"

#include <adbrook_schemas.h>

#include <array>

#include "ads/output_value.h"
#include "base/assert.h"
#include "serde/avro_json.h"
#include "serde/schema_source.h"

namespace adbrook::app {
namespace {

struct SchemaText {
  std::int64_t id;
  std::string_view text;
};
// docs/formats/topics.md says which topic has which.
constexpr std::array<SchemaText, 7> kSchemas = {{
    {serde::kImpressionSchemaId, impression_schema},
    {serde::kClickSchemaId, click_schema},
    {ads::kImpressionSummarySchemaId, impression_summary_schema},
    {ads::kAttributedClickSchemaId, attributed_click_schema},
    {ads::kOutcomeSchemaId, outcome_schema},
    {ads::kDeadLetterSchemaId, dead_letter_schema},
    {ads::kDeadLetterRedriveSchemaId, dead_letter_redrive_schema},
}};
// Ids beyond ours are not remembered, so that hostile values cannot fill the memory.
constexpr std::int32_t kIdMax = 7;

}  // namespace

const serde::AvroDecoder* ValueText::decoder(std::int32_t id) {
  if (id < 1 || id > kIdMax) return nullptr;
  auto& known = decoders_[id];
  if (known) return &*known;
  for (const auto& schema : kSchemas) {
    if (schema.id != id) continue;
    auto parsed = serde::AvroSchema::parse(schema.text);
    ADBROOK_ASSERT(parsed, "a published schema parses");
    auto made = serde::AvroDecoder::create(*parsed);
    ADBROOK_ASSERT(made, "a published schema can be read");
    known = std::move(*made);
    return &*known;
  }
  return nullptr;
}

ShownValue ValueText::show(const std::optional<ByteView>& value) {
  if (!value) return {};
  const std::string_view as_is = as_text(*value);
  const auto id = serde::read_schema_header(*value);
  if (!id) return {as_is, false};
  const auto* known = decoder(*id);
  if (known == nullptr) return {as_is, false};
  const auto decoded = known->decode(value->subspan(serde::kSchemaHeaderSize));
  if (!decoded) return {as_is, false};
  text_.clear();
  serde::JsonWriter json(text_);
  serde::write_json(json, known->schema(), *decoded, {.uuid_as_text = true});
  return {text_, true};
}

}  // namespace adbrook::app
