#include "ads/import_row.h"

#include <limits>

#include "ads/import_lines.h"
#include "base/text.h"
#include "serde/avro_file.h"
#include "serde/avro_json.h"
#include "serde/json_reader.h"

namespace adbrook::ads {
namespace {

constexpr std::size_t kColumnCountMax = 4096;

Refusal row_refusal(Reason reason, std::string detail) {
  return {{}, reason, printable(detail, 300)};
}

class CsvRows : public RowSource {
 public:
  static Result<std::unique_ptr<RowSource>> open(ImportBytes bytes, const std::string& path,
                                                 char delimiter) {
    auto out = std::make_unique<CsvRows>(std::move(bytes), delimiter);
    ImportLine header;
    const auto read = out->lines_.next_record(header);
    if (!read) return std::unexpected(read.error());
    std::string_view names = header.bytes;
    if (names.starts_with("\xEF\xBB\xBF")) names.remove_prefix(3);  // as spreadsheets write it
    if (!*read || !split_csv(names, delimiter, out->values_, out->unquoted_) ||
        out->values_.size() > kColumnCountMax)
      return fail(ErrorKind::invalid,
                  path + ": the first line is no CSV header; write the column names there");
    out->names_.assign(out->values_.begin(), out->values_.end());
    return out;
  }

  CsvRows(ImportBytes bytes, char delimiter) : lines_(std::move(bytes)), delimiter_(delimiter) {}

  Result<bool> next(ImportRow& row) override {
    ImportLine line;
    do {
      const auto read = lines_.next_record(line);
      if (!read || !*read) return read;
    } while (line.bytes.empty());
    row = {line.bytes, line.number, {}, std::nullopt};
    columns_.clear();
    if (!line.is_whole) {
      row.refusal = row_refusal(Reason::too_long, "the record is longer than 1 MiB");
    } else if (!split_csv(line.bytes, delimiter_, values_, unquoted_)) {
      row.refusal = row_refusal(Reason::unreadable, "a quote is not closed as RFC 4180 wants it");
    } else if (values_.size() != names_.size()) {
      row.refusal = row_refusal(Reason::unreadable,
                                "the record has " + std::to_string(values_.size()) +
                                    " values, the header has " + std::to_string(names_.size()));
    } else {
      for (std::size_t i = 0; i < names_.size(); ++i)
        columns_.push_back({names_[i], {FieldValue::Kind::word, values_[i]}});
      row.columns = columns_;
    }
    return true;
  }
  std::optional<std::vector<std::string>> column_names() const override { return names_; }
  std::uint64_t position() const override { return lines_.position(); }
  std::uint64_t size() const override { return lines_.size(); }

 private:
  ImportLines lines_;
  char delimiter_;
  std::vector<std::string> names_;
  std::vector<std::string_view> values_;
  std::string unquoted_;
  std::vector<ImportColumn> columns_;
};

FieldValue field_value(const serde::JsonValue& value) {
  switch (value.kind) {
    case serde::JsonKind::null: return {FieldValue::Kind::null, value.raw};
    case serde::JsonKind::boolean: return {FieldValue::Kind::boolean, value.raw};
    case serde::JsonKind::string: return {FieldValue::Kind::text, value.text};
    case serde::JsonKind::number: break;
    default: return {FieldValue::Kind::nested, value.raw};
  }
  if (const auto integer = value.integer()) return {FieldValue::Kind::integer, value.raw, *integer};
  const auto number = value.number();
  return {FieldValue::Kind::real, value.raw, 0,
          number ? *number : std::numeric_limits<double>::infinity()};
}

class JsonRows : public RowSource {
 public:
  explicit JsonRows(ImportBytes bytes) : lines_(std::move(bytes)) {}

  Result<bool> next(ImportRow& row) override {
    ImportLine line;
    do {
      const auto read = lines_.next(line);
      if (!read || !*read) return read;
    } while (line.bytes.find_first_not_of(" \t") == std::string_view::npos);
    row = {line.bytes, line.number, {}, std::nullopt};
    if (!line.is_whole) {
      row.refusal = row_refusal(Reason::too_long, "the line is longer than 1 MiB");
      return true;
    }
    const auto fields = reader_.object(line.bytes);
    if (!fields) {
      row.refusal = row_refusal(Reason::unreadable, fields.error().message);
      return true;
    }
    columns_.clear();
    for (const serde::JsonField& field : *fields)
      columns_.push_back({field.key, field_value(field.value)});
    row.columns = columns_;
    return true;
  }
  std::optional<std::vector<std::string>> column_names() const override { return std::nullopt; }
  std::uint64_t position() const override { return lines_.position(); }
  std::uint64_t size() const override { return lines_.size(); }

 private:
  ImportLines lines_;
  serde::JsonReader reader_;
  std::vector<ImportColumn> columns_;
};

// Values become columns of the record's top level; nested ones their JSON text.
class AvroRows : public RowSource {
 public:
  static Result<std::unique_ptr<RowSource>> open(ImportBytes bytes, const std::string& path) {
    auto out = std::make_unique<AvroRows>();
    out->bytes_ = std::make_unique<ImportBytes>(std::move(bytes));
    auto reader = serde::AvroFileReader::open(
        [from = out->bytes_.get()](std::span<std::byte> into) { return from->read(into); });
    if (!reader) return pass(std::move(reader.error()), path);
    const serde::AvroNode& root = reader->schema().root();
    if (root.type != serde::AvroType::record)
      return fail(ErrorKind::invalid,
                  path + ": the values of this Avro file are no records; import needs records");
    for (const serde::AvroField& field : root.fields) out->names_.push_back(field.name);
    out->path_ = path;
    out->reader_ = std::make_unique<serde::AvroFileReader>(std::move(*reader));
    return out;
  }

  Result<bool> next(ImportRow& row) override {
    auto read = reader_->next(value_);
    if (!read) return pass(std::move(read.error()), path_);
    if (!*read) return false;
    row = {{}, ++count_, {}, std::nullopt};
    const auto* const fields = value_.get<serde::AvroItems>();
    columns_.clear();
    texts_.clear();
    for (std::size_t i = 0; i < names_.size(); ++i) add_column(i, (*fields)[i]);
    row.bytes = bytes_of_row();
    row.columns = columns_;
    return true;
  }
  std::optional<std::vector<std::string>> column_names() const override { return names_; }
  std::uint64_t position() const override { return bytes_->position(); }
  std::uint64_t size() const override { return bytes_->size(); }

 private:
  void add_column(std::size_t i, const serde::AvroValue& value) {
    FieldValue out;
    if (const auto* number = value.get<std::int64_t>()) {
      out = {FieldValue::Kind::integer, texts_.keep(std::to_string(*number)), *number};
    } else if (const auto* real = value.get<double>()) {
      out = {FieldValue::Kind::real, texts_.keep(std::to_string(*real)), 0, *real};
    } else if (const auto* text = value.get<std::string>()) {
      out = {FieldValue::Kind::text, id_or_text(i, value, *text)};
    } else if (const auto* flag = value.get<bool>()) {
      out = {FieldValue::Kind::boolean, *flag ? "true" : "false"};
    } else if (!value.is_null()) {
      out = {FieldValue::Kind::nested, "..."};
    }
    columns_.push_back({names_[i], out});
  }

  // Sixteen raw bytes of a fixed type are an id.
  std::string_view id_or_text(std::size_t i, const serde::AvroValue& value,
                              const std::string& text) {
    const serde::AvroSchema& schema = reader_->schema();
    serde::AvroNodeIndex type = schema.root().fields[i].type;
    if (schema.node(type).type == serde::AvroType::union_)
      type = schema.node(type).branches[value.branch];
    if (schema.node(type).type != serde::AvroType::fixed || text.size() != 16) return text;
    return texts_.keep(Uuid::from_bytes(as_bytes(text))->to_string());
  }

  std::string_view bytes_of_row() {
    row_text_.clear();
    serde::JsonWriter json(row_text_);
    serde::write_json(json, reader_->schema(), value_);
    return row_text_;
  }

  std::string path_;
  std::unique_ptr<ImportBytes> bytes_;  // at one address: the reader's source holds it
  std::unique_ptr<serde::AvroFileReader> reader_;
  std::vector<std::string> names_;
  serde::AvroValue value_;
  std::uint64_t count_ = 0;
  EventText texts_;
  std::string row_text_;
  std::vector<ImportColumn> columns_;
};

}  // namespace

std::optional<ImportFormat> parse_import_format(std::string_view name) {
  if (name == "csv") return ImportFormat::csv;
  if (name == "ndjson" || name == "json") return ImportFormat::ndjson;
  if (name == "avro") return ImportFormat::avro;
  if (name == "auto") return ImportFormat::automatic;
  return std::nullopt;
}

const FieldValue* ImportRow::find(std::string_view name) const {
  for (const ImportColumn& column : columns)
    if (column.name == name) return &column.value;
  return nullptr;
}

Result<std::unique_ptr<RowSource>> open_rows(io::FileSystem& files, const std::string& path,
                                             ImportFormat format, char delimiter) {
  std::string_view name = path;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  const bool is_tsv = name.ends_with(".tsv");
  if (format == ImportFormat::automatic)
    format = is_tsv || name.ends_with(".csv") ? ImportFormat::csv
             : name.ends_with(".avro")        ? ImportFormat::avro
                                              : ImportFormat::ndjson;
  if (delimiter == 0) delimiter = is_tsv ? '\t' : ',';
  auto bytes = ImportBytes::open(files, path);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  if (format == ImportFormat::csv) return CsvRows::open(std::move(*bytes), path, delimiter);
  if (format == ImportFormat::avro) return AvroRows::open(std::move(*bytes), path);
  return std::make_unique<JsonRows>(std::move(*bytes));
}

}  // namespace adbrook::ads
