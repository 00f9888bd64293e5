#include "serde/schema_source.h"

#include "serde/avro_schema.h"

namespace adbrook::serde {

Result<BuiltInSchemas> BuiltInSchemas::parse(std::string_view impression, std::string_view click) {
  BuiltInSchemas built_in;
  auto impression_schema = AvroSchema::parse(impression);
  if (!impression_schema) return pass(std::move(impression_schema.error()), "impression");
  auto click_schema = AvroSchema::parse(click);
  if (!click_schema) return pass(std::move(click_schema.error()), "click");
  built_in.schemas_[kImpressionSchemaId] = std::move(*impression_schema);
  built_in.schemas_[kClickSchemaId] = std::move(*click_schema);
  return built_in;
}

Result<std::shared_ptr<const AvroSchema>> BuiltInSchemas::schema(std::int32_t id) const {
  const auto found = schemas_.find(id);
  if (found != schemas_.end()) return found->second;
  return fail(ErrorKind::not_found, "schema id " + std::to_string(id) +
                                        " of a value is not known; 1 is an impression, 2 a click");
}

}  // namespace adbrook::serde
