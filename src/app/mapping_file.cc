#include "app/mapping_file.h"

#include "ads/event_fields.h"
#include "app/toml_parser.h"
#include "base/text.h"

namespace adbrook::app {
namespace {

// Reads one mapping; keeps the first complaint.
class MappingReader {
 public:
  explicit MappingReader(std::string_view place) : place_(place) {}

  Result<ads::Mapping> read(const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (name == "name")
        mapping_.name = text(name, node);
      else if (name == "kind")
        read_kind(node);
      else if (name == "format")
        read_format(node);
      else if (name == "delimiter")
        read_delimiter(node);
      else if (name == "skip_when")
        mapping_.skip_when = text(name, node);
      else if (name == "id_columns")
        read_id_columns(node);
      else if (name == "fields")
        read_fields(node);
      else
        unknown(name, node,
                {"name", "kind", "format", "delimiter", "skip_when", "id_columns", "fields"});
    }
    if (!complaint_.empty()) return fail(ErrorKind::invalid, complaint_);
    if (auto checked = ads::check_mapping(mapping_); !checked)
      return pass(std::move(checked.error()), place_);
    return std::move(mapping_);
  }

 private:
  void complain(const toml::node& node, const std::string& what) {
    if (complaint_.empty())
      complaint_ = place_ + ":" + std::to_string(node.source().begin.line) + ": " + what +
                   "; see docs/import.md";
  }
  void unknown(std::string_view name, const toml::node& node,
               std::initializer_list<std::string_view> known) {
    complain(node, "unknown key '" + printable(name) + "'" +
                       did_you_mean(name, std::span(known.begin(), known.size())));
  }
  std::string text(std::string_view name, const toml::node& node) {
    if (const auto* value = node.as_string()) return value->get();
    complain(node, std::string(name) + " must be a text in quotes");
    return {};
  }

  void read_kind(const toml::node& node) {
    const std::string kind = text("kind", node);
    if (kind == "impression")
      mapping_.kind = ads::EventKind::impression;
    else if (kind == "click")
      mapping_.kind = ads::EventKind::click;
    else
      complain(node, "kind '" + printable(kind) + "' must be impression or click");
  }
  void read_format(const toml::node& node) {
    const std::string name = text("format", node);
    if (const auto format = ads::parse_import_format(name))
      mapping_.format = *format;
    else
      complain(node, "format '" + printable(name) + "' must be csv, ndjson or avro");
  }
  void read_delimiter(const toml::node& node) {
    const std::string value = text("delimiter", node);
    if (value.size() == 1)
      mapping_.delimiter = value[0];
    else
      complain(node, "delimiter must be one character");
  }
  void read_id_columns(const toml::node& node) {
    const auto* list = node.as_array();
    if (list == nullptr) return complain(node, "id_columns must be a list of texts");
    for (const auto& item : *list) mapping_.id_columns.push_back(text("id_columns", item));
  }
  void read_fields(const toml::node& node) {
    const auto* table = node.as_table();
    if (table == nullptr) return complain(node, "fields must be a section: [fields]");
    for (const auto& [key, rule] : *table) read_rule(std::string(key.str()), rule);
  }
  void read_rule(std::string field, const toml::node& node) {
    ads::FieldRuleOfMapping rule{std::move(field), "", std::nullopt, ads::ColumnForm::as_is};
    if (const auto* table = node.as_table()) {
      for (const auto& [key, value] : *table) {
        const std::string_view name = key.str();
        if (name == "column")
          rule.column = text(name, value);
        else if (name == "constant")
          rule.constant = text(name, value);
        else if (name == "form")
          read_form(value, rule);
        else
          unknown(name, value, {"column", "constant", "form"});
      }
    } else
      rule.column = text(rule.field, node);
    mapping_.fields.push_back(std::move(rule));
  }
  void read_form(const toml::node& node, ads::FieldRuleOfMapping& rule) {
    const std::string name = text("form", node);
    if (const auto form = ads::parse_column_form(name))
      rule.form = *form;
    else
      complain(node,
               "form '" + printable(name) + "' must be as_is, hash, seconds, millis or micros");
  }

  std::string place_;
  ads::Mapping mapping_;
  std::string complaint_;
};

template <class Fields>
void add_plain(const Fields& fields, ads::Mapping& mapping) {
  for (const auto& field : fields)
    mapping.fields.push_back(
        {std::string(field.name), std::string(field.name), std::nullopt, ads::ColumnForm::as_is});
}

}  // namespace

Result<ads::Mapping> parse_mapping(std::string_view text, std::string_view place) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed)
    return fail(ErrorKind::invalid,
                std::string(place) + ":" + std::to_string(parsed.error().source().begin.line) +
                    ": this is not TOML: " + printable(parsed.error().description()) +
                    "; see docs/import.md");
  return MappingReader(place).read(parsed.table());
}

ads::Mapping plain_mapping(ads::EventKind kind) {
  ads::Mapping mapping;
  mapping.kind = kind;
  mapping.name = kind == ads::EventKind::impression ? "impressions" : "clicks";
  if (kind == ads::EventKind::impression)
    add_plain(ads::kImpressionFields, mapping);
  else
    add_plain(ads::kClickFields, mapping);
  return mapping;
}

std::string guess_mapping(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const auto has = [&](std::string_view part) { return name.find(part) != name.npos; };
  if (has("usagov")) return "usagov";
  if (name.starts_with("random_") || name.starts_with("bts_")) return "obd";
  if (has("impression")) return "impressions";
  if (has("click")) return "clicks";
  return "";
}

}  // namespace adbrook::app
