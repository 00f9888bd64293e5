// How the rows of somebody else's file become events. Two mappings are built in, others are plain
// rules from field to column, as a mapping file says them (docs/import.md).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ads/edge_field.h"
#include "ads/event.h"
#include "ads/import_row.h"
#include "base/result.h"

namespace adbrook::ads {

// How a column's value becomes the field's.
enum class ColumnForm : std::uint8_t {
  as_is,
  hash,     // a number from a text: the low 52 bits of its XXH3-64
  seconds,  // a time in seconds since 1970, also with a fraction
  millis,
  micros,
};
std::optional<ColumnForm> parse_column_form(std::string_view name);

struct FieldRuleOfMapping {
  std::string field;   // of the event, e.g. "campaignId"
  std::string column;  // of the source; unused with a constant
  std::optional<std::string> constant;
  ColumnForm form = ColumnForm::as_is;
};

// What a mapping file says. Exactly one of the three ways to an id is used: a field rule for
// "uuid", else the columns in id_columns, else the whole line.
struct Mapping {
  std::string name;
  EventKind kind = EventKind::click;
  ImportFormat format = ImportFormat::automatic;
  char delimiter = 0;  // of CSV; 0 = by the file's name
  std::vector<FieldRuleOfMapping> fields;
  std::vector<std::string> id_columns;
  // Rows that have a value in this column are no events: heartbeats, comments.
  std::optional<std::string> skip_when;
};

// Unknown fields, a field twice, a required one without a rule: invalid, naming the field.
Result<void> check_mapping(const Mapping& mapping);

// One event of a row, ready to be sent.
struct MappedEvent {
  EventKind kind = EventKind::click;
  Timestamp time;
  std::string json;
};

// Makes events of rows; one object per file, because a file's name may say something. Owned by one
// thread. An interface, because two mappings are built in beside the rules.
class RowMapper {
 public:
  virtual ~RowMapper() = default;

  // Columns a file must have; missing ones are reported before the first row.
  virtual std::vector<std::string> needed_columns() const = 0;
  // Appends the row's events, none for a row to skip. `shift` is added to their times.
  virtual Checked<void> map(const ImportRow& row, Millis shift, std::vector<MappedEvent>& to) = 0;
};

inline constexpr std::string_view kBuiltInMappings[] = {"usagov", "obd"};

struct MapperOfFile {
  std::unique_ptr<RowMapper> mapper;
  ImportFormat format = ImportFormat::automatic;
  char delimiter = 0;
};

// The built-in mapping of this name for this file.
Result<MapperOfFile> built_in_mapper(std::string_view name, const std::string& path);
// The mapping must outlive the mapper.
Result<MapperOfFile> mapper_of(const Mapping& mapping);

// The first 128 bits of SHA-256.
Uuid id_of(std::string_view text);
// The low 52 bits of XXH3-64.
std::int64_t number_of(std::string_view text);

}  // namespace adbrook::ads
