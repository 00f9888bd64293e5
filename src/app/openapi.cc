#include "app/openapi.h"

#include <map>
#include <string_view>
#include <vector>

#include "ads/event_fields.h"
#include "app/openapi_operations.h"
#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

using serde::JsonWriter;

void write_parameter(JsonWriter& json, std::string_view place, const Parameter& parameter) {
  json.begin_object();
  json.field("name", parameter.name);
  json.field("in", place);
  json.field("required", parameter.required);
  json.field("description", parameter.about);
  json.key("schema");
  json.begin_object();
  json.field("type", "string");
  json.end_object();
  json.end_object();
}

void write_parameters(JsonWriter& json, const Operation& operation) {
  json.key("parameters");
  json.begin_array();
  if (operation.path.find("{uuid}") != std::string_view::npos)
    write_parameter(json, "path", {"uuid", "36 characters or 32 hex digits", true});
  if (operation.path.find("{topic}") != std::string_view::npos)
    write_parameter(json, "path", {"topic", "Its name", true});
  if (operation.path.find("{store}") != std::string_view::npos)
    write_parameter(json, "path", {"store", "As /v1/stores names it", true});
  if (operation.path.find("{name}") != std::string_view::npos)
    write_parameter(json, "path", {"name", "As the page names it", true});
  for (const Parameter& parameter : operation.query) write_parameter(json, "query", parameter);
  json.end_array();
}

void write_content(JsonWriter& json, std::string_view media_type, std::string_view schema) {
  json.key("content");
  json.begin_object();
  json.key(media_type);
  json.begin_object();
  if (!schema.empty()) {
    json.key("schema");
    json.begin_object();
    json.field("$ref", "#/components/schemas/" + std::string(schema));
    json.end_object();
  }
  json.end_object();
  json.end_object();
}

void write_responses(JsonWriter& json, const Operation& operation) {
  json.key("responses");
  json.begin_object();
  json.key(operation.status);
  json.begin_object();
  json.field("description", operation.about);
  if (!operation.answer.empty()) write_content(json, operation.answer, "");
  json.end_object();
  json.key("default");
  json.begin_object();
  json.field("description", "What went wrong, and what to do");
  write_content(json, "application/problem+json", "Problem");
  json.end_object();
  json.end_object();
}

void write_operation(JsonWriter& json, const Operation& operation) {
  json.key(operation.method);
  json.begin_object();
  json.field("summary", operation.about);
  write_parameters(json, operation);
  if (!operation.body.empty()) {
    json.key("requestBody");
    json.begin_object();
    json.field("required", true);
    write_content(json, "application/json", operation.body);
    json.end_object();
  }
  write_responses(json, operation);
  json.end_object();
}

std::string_view json_type(ads::FieldRule rule) {
  switch (rule) {
    case ads::FieldRule::whole: return "integer";
    case ads::FieldRule::latitude:
    case ads::FieldRule::longitude:
    case ads::FieldRule::probability: return "number";
    default: return "string";
  }
}

struct Property {
  std::string_view name;
  std::string_view type;
  bool required = false;
};

void write_schema(JsonWriter& json, std::string_view name,
                  const std::vector<Property>& properties) {
  json.key(name);
  json.begin_object();
  json.field("type", "object");
  json.key("properties");
  json.begin_object();
  for (const Property& property : properties) {
    json.key(property.name);
    json.begin_object();
    json.field("type", property.type);
    json.end_object();
  }
  json.end_object();
  json.key("required");
  json.begin_array();
  for (const Property& property : properties)
    if (property.required) json.string(property.name);
  json.end_array();
  json.end_object();
}

// The events' schemas come from the same table that checks them.
template <class Fields>
std::vector<Property> properties_of(const Fields& fields) {
  std::vector<Property> properties;
  for (const auto& field : fields)
    properties.push_back(
        {field.name, json_type(field.rule), field.presence == ads::Presence::required});
  properties.push_back({"extra", "object"});
  return properties;
}

void write_components(JsonWriter& json) {
  json.key("components");
  json.begin_object();
  json.key("schemas");
  json.begin_object();
  write_schema(json, "Impression", properties_of(ads::kImpressionFields));
  write_schema(json, "Click", properties_of(ads::kClickFields));
  write_schema(json, "DeadLetter",
               {{"source", "string", true},
                {"line", "integer"},
                {"reason", "string", true},
                {"field", "string"},
                {"detail", "string"},
                {"bytes", "string"},
                {"text", "string"}});
  write_schema(
      json, "Redrive",
      {{"letter", "string", true}, {"as", "string", true}, {"text", "string"}, {"hex", "string"}});
  write_schema(json, "Problem",
               {{"title", "string", true},
                {"status", "integer", true},
                {"detail", "string", true},
                {"field", "string"}});
  json.end_object();
  json.end_object();
}

}  // namespace

std::string openapi_document() {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("openapi", "3.1.0");
  json.key("info");
  json.begin_object();
  json.field("title", "Adbrook");
  json.field("version", ADBROOK_VERSION);
  json.end_object();
  // A path's operations stand together in OpenAPI, in the table they need not.
  std::map<std::string_view, std::vector<const Operation*>> by_path;
  const std::vector<Operation> all = operations();
  for (const Operation& operation : all) by_path[operation.path].push_back(&operation);
  json.key("paths");
  json.begin_object();
  for (const auto& [path, here] : by_path) {
    json.key(path);
    json.begin_object();
    for (const Operation* operation : here) write_operation(json, *operation);
    json.end_object();
  }
  json.end_object();
  write_components(json);
  json.end_object();
  return out + "\n";
}

void add_openapi_route(http::Router& router) {
  router.add(http::Method::get, "/openapi.json",
             [document = openapi_document()](const http::Request&, http::Responder responder) {
               responder.send({.content_type = "application/json", .body = document});
             });
}

}  // namespace adbrook::app
