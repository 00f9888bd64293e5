#include "ads/truth_file.h"

#include <zlib.h>

#include <charconv>
#include <memory>

#include "ads/import_lines.h"
#include "base/text.h"

namespace adbrook::ads {
namespace {

constexpr std::string_view kMagic = "adbrook-truth";
constexpr std::string_view kVersion = "1";
constexpr std::size_t kChunkSize = 256 << 10;
constexpr std::uint64_t kTextCountMax = 100'000'000;

// Collects text and writes it in chunks, packed or plain, with one sticky error.
class ChunkedOutput {
 public:
  ChunkedOutput(io::File& file, bool is_gzip) : file_(file), is_gzip_(is_gzip) {
    // Level 1: the ids' sums do not compress at any level.
    if (is_gzip_) deflateInit2(&stream_, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  }
  ~ChunkedOutput() {
    if (is_gzip_) deflateEnd(&stream_);
  }
  ChunkedOutput(const ChunkedOutput&) = delete;
  ChunkedOutput& operator=(const ChunkedOutput&) = delete;

  ChunkedOutput& operator<<(std::string_view text) {
    text_ += text;
    return *this;
  }
  ChunkedOutput& operator<<(std::integral auto number) {
    char digits[24];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
    return *this;
  }
  void end_line() {
    text_ += '\n';
    if (text_.size() >= kChunkSize) flush(Z_NO_FLUSH);
  }
  Result<void> finish() {
    flush(Z_FINISH);
    if (result_) result_ = file_.sync();
    return result_;
  }

 private:
  void flush(int how) {
    if (is_gzip_) {
      pack(how);
    } else {
      put(as_bytes(text_));
    }
    text_.clear();
  }
  void pack(int how) {
    stream_.next_in = reinterpret_cast<Bytef*>(text_.data());
    stream_.avail_in = static_cast<uInt>(text_.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(packed_.data());
      stream_.avail_out = static_cast<uInt>(packed_.size());
      deflate(&stream_, how);
      put(ByteView(packed_).first(packed_.size() - stream_.avail_out));
    } while (stream_.avail_out == 0);
  }
  void put(ByteView bytes) {
    if (result_ && !bytes.empty()) result_ = file_.write_at(position_, bytes);
    position_ += bytes.size();
  }

  io::File& file_;
  bool is_gzip_;
  z_stream stream_{};
  std::string text_;
  Buffer packed_ = Buffer(kChunkSize);
  std::uint64_t position_ = 0;
  Result<void> result_;
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\t' || c == '\n' || c == '\\') out += '\\';
    out += c == '\t' ? 't' : c == '\n' ? 'n' : c;
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    out += c == 't' ? '\t' : c == 'n' ? '\n' : c;
  }
  return out;
}

std::string measure_names() {
  std::string out;
  for (const MeasureDeclaration& measure : kMeasures) {
    if (!out.empty()) out += ',';
    out += measure.name;
  }
  return out;
}

std::string part_names(const ViewDeclaration& view) {
  std::string out;
  for (const Dimension part : view.key()) {
    if (!out.empty()) out += ',';
    out += to_string(part);
  }
  return out;
}

void write_lines(ChunkedOutput& out, const Truth& truth) {
  (out << kMagic << "\t" << kVersion).end_line();
  (out << "measures\t" << measure_names()).end_line();
  for (std::size_t i = 0; i < kViewCount; ++i)
    (out << "view\t" << i << "\t" << kViews[i].name << "\t" << part_names(kViews[i])).end_line();
  for (const auto& [key, count] : truth.outcomes())
    (out << "outcome\t" << key.topic << "\t" << key.outcome << "\t" << key.reason << "\t" << count)
        .end_line();
  for (const auto& [topic, count] : truth.sent_again())
    (out << "again\t" << topic << "\t" << count).end_line();
  for (std::uint32_t number = 1; number < truth.text_count(); ++number)
    (out << "text\t" << number << "\t" << escaped(truth.text_of(number))).end_line();
  for (const TruthCell& cell : truth.cells().all()) {
    out << "cell\t" << cell.key.view << "\t" << cell.key.bucket_ms << "\t" << cell.key.width_ms;
    for (std::size_t i = 0; i < kViews[cell.key.view].part_count; ++i)
      out << "\t" << cell.key.parts[i];
    for (const std::uint64_t value : cell.values) out << "\t" << value;
    out.end_line();
  }
  (out << "end\t" << truth.cells().all().size()).end_line();
}

// Takes column after column off a line.
class Columns {
 public:
  explicit Columns(std::string_view line) : rest_(line) {}

  std::string_view text() {
    ok_ = ok_ && !ended_;
    const std::size_t tab = rest_.find('\t');
    const std::string_view column = rest_.substr(0, tab);
    ended_ = tab == std::string_view::npos;
    rest_ = ended_ ? std::string_view() : rest_.substr(tab + 1);
    return column;
  }
  template <class Number>
  Number number() {
    const std::string_view column = text();
    Number value{};
    const char* const end = column.data() + column.size();
    const auto [at, ec] = std::from_chars(column.data(), end, value);
    ok_ = ok_ && ec == std::errc{} && at == end && !column.empty();
    return value;
  }
  bool done() const { return ok_ && ended_; }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ended_ = false;
  bool ok_ = true;
};

class TruthReader {
 public:
  // False: the line breaks the format.
  bool take(std::string_view line) {
    Columns columns(line);
    const std::string_view kind = columns.text();
    if (ended_) return false;
    if (!begun_) {
      begun_ = kind == kMagic && columns.text() == kVersion && columns.done();
      return begun_;
    }
    if (kind == "cell") return take_cell(columns);
    if (kind == "text") return take_text(columns);
    if (kind == "measures") return columns.text() == measure_names() && columns.done();
    if (kind == "view") return take_view(columns);
    if (kind == "outcome") {
      OutcomeKey key{std::string(columns.text()), std::string(columns.text()),
                     std::string(columns.text())};
      truth.outcomes()[key] = columns.number<std::uint64_t>();
      return columns.done();
    }
    if (kind == "again") {
      const std::string topic(columns.text());
      truth.sent_again()[topic] = columns.number<std::uint64_t>();
      return columns.done();
    }
    ended_ = kind == "end" && columns.number<std::uint64_t>() == truth.cells().all().size();
    return ended_ && columns.done();
  }
  bool ended() const { return ended_; }

  Truth truth;

 private:
  static bool take_view(Columns& columns) {
    const auto number = columns.number<std::size_t>();
    if (!columns.ok() || number >= kViewCount) return false;
    const std::string_view name = columns.text(), parts = columns.text();
    return columns.done() && name == kViews[number].name && parts == part_names(kViews[number]);
  }

  bool take_text(Columns& columns) {
    const auto number = columns.number<std::uint32_t>();
    const std::string text = unescaped(columns.text());
    return columns.done() && number < kTextCountMax && truth.number_of(text) == number;
  }

  bool take_cell(Columns& columns) {
    TruthKey key;
    key.view = columns.number<std::uint32_t>();
    key.bucket_ms = columns.number<std::int64_t>();
    key.width_ms = columns.number<std::uint32_t>();
    if (!columns.ok() || key.view >= kViewCount) return false;
    for (std::size_t i = 0; i < kViews[key.view].part_count; ++i) {
      key.parts[i] = columns.number<std::uint32_t>();
      if (key.parts[i] >= truth.text_count()) return false;
    }
    MeasureValues values;
    for (std::uint64_t& value : values) value = columns.number<std::uint64_t>();
    if (!columns.done()) return false;
    truth.cells().at(key) = values;
    return true;
  }

  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace

Result<void> write_truth(io::FileSystem& files, const std::string& path, const Truth& truth) {
  auto file = files.open(path, io::OpenMode::write);
  if (!file) return std::unexpected(std::move(file.error()));
  if (auto emptied = (*file)->truncate(0); !emptied) return emptied;
  ChunkedOutput out(**file, path.ends_with(".gz"));
  write_lines(out, truth);
  return out.finish();
}

Result<Truth> read_truth(io::FileSystem& files, const std::string& path) {
  auto bytes = ImportBytes::open(files, path);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  ImportLines lines(std::move(*bytes));
  TruthReader reader;
  ImportLine line;
  for (;;) {
    const auto read = lines.next(line);
    if (!read) return std::unexpected(read.error());
    if (!*read) break;
    if (!reader.take(line.bytes))
      return fail(ErrorKind::corrupt,
                  path + ":" + std::to_string(line.number) + ": '" + printable(line.bytes, 60) +
                      "' is no line of a truth file of this version; write it again with "
                      "'adbrook generate --truth'");
  }
  if (!reader.ended())
    return fail(ErrorKind::corrupt,
                path +
                    ": the truth file is cut short, its last line is missing; write it again "
                    "with 'adbrook generate --truth'");
  return std::move(reader.truth);
}

}  // namespace adbrook::ads
