#include "ads/import_mapping.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "ads/event_json.h"
#include "base/hash.h"
#include "base/text.h"

namespace adbrook::ads {
namespace {

std::vector<std::string_view> field_names(EventKind kind) {
  std::vector<std::string_view> names;
  if (kind == EventKind::impression)
    for (const auto& field : fields_of<Impression>()) names.push_back(field.name);
  else
    for (const auto& field : fields_of<Click>()) names.push_back(field.name);
  return names;
}

bool is_required(EventKind kind, std::string_view name) {
  const auto required = [&](const auto& fields) {
    return std::ranges::any_of(fields, [&](const auto& field) {
      return field.name == name && field.presence == Presence::required;
    });
  };
  return kind == EventKind::impression ? required(fields_of<Impression>())
                                       : required(fields_of<Click>());
}

// A time written as a number of units since 1970. A value that is no number stays as it is: the
// field's own rule refuses it then.
FieldValue time_from(const FieldValue& value, std::int64_t units_per_second) {
  FieldValue out = value;
  double number = value.real;
  if (value.kind == FieldValue::Kind::text || value.kind == FieldValue::Kind::word) {
    const char* const end = value.text.data() + value.text.size();
    const auto [at, ec] = std::from_chars(value.text.data(), end, number);
    if (ec != std::errc{} || at != end) return out;
  } else if (value.kind == FieldValue::Kind::integer) {
    number = static_cast<double>(value.integer);
  } else if (value.kind != FieldValue::Kind::real) {
    return out;
  }
  const double ms = number * 1000 / static_cast<double>(units_per_second);
  if (!(ms > -1e17 && ms < 1e17)) return out;
  out.kind = FieldValue::Kind::integer;
  out.integer = static_cast<std::int64_t>(ms);
  return out;
}

// Rules from field to column for one kind of event.
template <class Event>
class RuleMapper : public RowMapper {
 public:
  explicit RuleMapper(const Mapping& mapping) : mapping_(mapping) {}

  std::vector<std::string> needed_columns() const override {
    std::vector<std::string> out = mapping_.id_columns;
    for (const FieldRuleOfMapping& rule : mapping_.fields)
      if (!rule.constant) out.push_back(rule.column);
    return out;
  }

  Checked<void> map(const ImportRow& row, Millis shift, std::vector<MappedEvent>& to) override {
    if (mapping_.skip_when) {
      const FieldValue* mark = row.find(*mapping_.skip_when);
      if (mark && mark->kind != FieldValue::Kind::null && !mark->text.empty()) return {};
    }
    text_.clear();
    builder_.begin();
    bool has_id = false;
    for (const FieldRuleOfMapping& rule : mapping_.fields) {
      has_id = has_id || rule.field == "uuid";
      if (auto put = builder_.put(rule.field, value_of(rule, row)); !put) return put;
    }
    if (!has_id) {
      const std::string id = made_id(row).to_string();
      if (auto put = builder_.put("uuid", {FieldValue::Kind::text, text_.keep(id)}); !put)
        return put;
    }
    auto event = builder_.finish();
    if (!event) return std::unexpected(std::move(event.error()));
    event->timestamp = event->timestamp + shift;
    MappedEvent& out = to.emplace_back();
    out.kind = std::is_same_v<Event, Impression> ? EventKind::impression : EventKind::click;
    out.time = event->timestamp;
    out.json = event_json(*event);
    return {};
  }

 private:
  FieldValue value_of(const FieldRuleOfMapping& rule, const ImportRow& row) {
    FieldValue value;
    if (rule.constant)
      value = {FieldValue::Kind::word, *rule.constant};
    else if (const FieldValue* found = row.find(rule.column))
      value = *found;
    if (value.kind == FieldValue::Kind::null) return value;
    switch (rule.form) {
      case ColumnForm::as_is: return value;
      case ColumnForm::hash: return {FieldValue::Kind::integer, value.text, number_of(value.text)};
      case ColumnForm::seconds: return time_from(value, 1);
      case ColumnForm::millis: return time_from(value, 1000);
      case ColumnForm::micros: return time_from(value, 1'000'000);
    }
    return value;
  }

  Uuid made_id(const ImportRow& row) const {
    if (mapping_.id_columns.empty()) return id_of(row.bytes);
    std::string joined;
    for (const std::string& column : mapping_.id_columns) {
      const FieldValue* value = row.find(column);
      if (value) joined += value->text;
      joined += '\x1f';  // so that "ab","c" and "a","bc" differ
    }
    return id_of(joined);
  }

  const Mapping& mapping_;
  EventText text_;
  EventBuilder<Event> builder_{{}, text_};
};

}  // namespace

std::optional<ColumnForm> parse_column_form(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"as_is", "hash", "seconds", "millis",
                                                      "micros"};
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<ColumnForm>(found - kNames.begin());
}

Result<void> check_mapping(const Mapping& mapping) {
  const auto no = [&](const std::string& what) {
    return fail(ErrorKind::invalid, "mapping '" + printable(mapping.name, 80) + "': " + what);
  };
  const auto names = field_names(mapping.kind);
  std::vector<std::string_view> seen;
  for (const FieldRuleOfMapping& rule : mapping.fields) {
    if (std::ranges::find(names, rule.field) == names.end())
      return no("'" + printable(rule.field, 80) + "' is no field of this event" +
                did_you_mean(rule.field, names));
    if (std::ranges::find(seen, rule.field) != seen.end())
      return no("field '" + rule.field + "' has two rules; keep one");
    if (!rule.constant && rule.column.empty())
      return no("field '" + rule.field + "' has neither a column nor a constant; give it one");
    seen.push_back(rule.field);
  }
  for (const std::string_view name : names)
    if (name != "uuid" && is_required(mapping.kind, name) &&
        std::ranges::find(seen, name) == seen.end())
      return no("the required field '" + std::string(name) +
                "' has no rule; map it to a column or give it a constant");
  return {};
}

Result<MapperOfFile> mapper_of(const Mapping& mapping) {
  if (auto checked = check_mapping(mapping); !checked)
    return std::unexpected(std::move(checked.error()));
  MapperOfFile out{nullptr, mapping.format, mapping.delimiter};
  if (mapping.kind == EventKind::impression)
    out.mapper = std::make_unique<RuleMapper<Impression>>(mapping);
  else
    out.mapper = std::make_unique<RuleMapper<Click>>(mapping);
  return out;
}

Uuid id_of(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return *Uuid::from_bytes(std::as_bytes(std::span(digest)).first(16));
}

std::int64_t number_of(std::string_view text) {
  return static_cast<std::int64_t>(xxh3(as_bytes(text)) & ((std::uint64_t{1} << 52) - 1));
}

}  // namespace adbrook::ads
