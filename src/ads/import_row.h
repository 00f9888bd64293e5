// Rows of a source, whatever its format: values by column name, with the bytes and the number of
// the row for those that cannot be read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ads/edge_field.h"
#include "ads/event_refusal.h"
#include "base/result.h"
#include "io/file_system.h"

namespace adbrook::ads {

enum class ImportFormat : std::uint8_t { automatic, csv, ndjson, avro };
std::optional<ImportFormat> parse_import_format(std::string_view name);

struct ImportColumn {
  std::string_view name;
  FieldValue value;
};

// Valid until the source's next call.
struct ImportRow {
  std::string_view bytes;    // as they lie in the file; JSON for Avro
  std::uint64_t number = 0;  // line, or value of an Avro file, counted from 1
  std::span<const ImportColumn> columns;
  std::optional<Refusal> refusal;  // the row cannot be read; columns is empty then

  const FieldValue* find(std::string_view name) const;
};

// Reads one file row by row. Owned by one thread. An interface, because there are three formats.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // False at the end; an error ends the file, all rows before it were right.
  virtual Result<bool> next(ImportRow& row) = 0;
  // Column names where the format says them before the first row (CSV, Avro).
  virtual std::optional<std::vector<std::string>> column_names() const = 0;
  // Bytes of the file read so far, and in all.
  virtual std::uint64_t position() const = 0;
  virtual std::uint64_t size() const = 0;
};

// `automatic` goes by the file's name without .gz: .csv, .tsv, .avro, everything else is NDJSON.
// `delimiter` 0 means a comma, for .tsv a tab.
Result<std::unique_ptr<RowSource>> open_rows(io::FileSystem& files, const std::string& path,
                                             ImportFormat format, char delimiter = 0);

}  // namespace adbrook::ads
