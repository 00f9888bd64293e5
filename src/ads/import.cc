#include "ads/import.h"

#include <algorithm>
#include <functional>

#include "base/text.h"

namespace adbrook::ads {
namespace {

// A file of nothing but unreadable lines gives them in portions of this many.
constexpr std::size_t kDeadLettersAtOnce = 256;

Result<void> check_columns(const RowSource& rows, const RowMapper& mapper,
                           const std::string& path) {
  const auto names = rows.column_names();
  if (!names) return {};
  const std::vector<std::string_view> there(names->begin(), names->end());
  for (const std::string& needed : mapper.needed_columns())
    if (std::ranges::find(there, needed) == there.end())
      return fail(ErrorKind::invalid, path + ": column '" + printable(needed, 80) +
                                          "' is missing, which the mapping needs" +
                                          did_you_mean(needed, there) +
                                          "; correct the mapping or the file");
  return {};
}

}  // namespace

struct Importer::Source {
  std::string path;
  std::unique_ptr<RowSource> rows;
  std::unique_ptr<RowMapper> mapper;
  std::vector<MappedEvent> events;  // of the current row
  std::size_t next_event = 0;
  bool ended = false;

  bool has_event() const { return next_event < events.size(); }
  Timestamp time() const { return events[next_event].time; }
};

Importer::Importer() = default;
Importer::Importer(Importer&&) noexcept = default;
Importer& Importer::operator=(Importer&&) noexcept = default;
Importer::~Importer() = default;

Result<Importer> Importer::open(io::FileSystem& files, ImportOptions options) {
  if (options.paths.empty() || options.paths.size() > kImportFileCountMax)
    return fail(ErrorKind::invalid, "import: " + std::to_string(options.paths.size()) +
                                        " files were given; give 1 to " +
                                        std::to_string(kImportFileCountMax));
  if (options.built_in.empty() == !options.mapping)
    return fail(ErrorKind::invalid,
                "import: exactly one mapping is needed; name it with --as or --mapping");
  const auto shared = std::make_shared<const ImportOptions>(std::move(options));
  auto opened = open_all(files, shared);
  if (!opened || !shared->retime_to) return opened;
  auto first_pass = std::move(*opened);
  const Timestamp last = first_pass.last_time();
  opened = open_all(files, shared);
  if (opened && last != Timestamp::lowest()) opened->shift_ = *shared->retime_to - last;
  return opened;
}

Result<Importer> Importer::open_all(io::FileSystem& files,
                                    std::shared_ptr<const ImportOptions> options) {
  Importer out;
  out.options_ = std::move(options);
  for (const std::string& path : out.options_->paths)
    if (auto opened = out.open_source(files, path); !opened)
      return std::unexpected(std::move(opened.error()));
  return out;
}

Result<void> Importer::open_source(io::FileSystem& files, const std::string& path) {
  auto mapper =
      options_->mapping ? mapper_of(*options_->mapping) : built_in_mapper(options_->built_in, path);
  if (!mapper) return std::unexpected(std::move(mapper.error()));
  auto rows = open_rows(files, path, mapper->format, mapper->delimiter);
  if (!rows) return std::unexpected(std::move(rows.error()));
  if (auto checked = check_columns(**rows, *mapper->mapper, path); !checked) return checked;
  totals_.bytes_in_all += (*rows)->size();
  auto source = std::make_unique<Source>();
  source->path = path;
  source->rows = std::move(*rows);
  source->mapper = std::move(mapper->mapper);
  hungry_.push_back(sources_.size());
  sources_.push_back(std::move(source));
  return {};
}

// Reads on until the source has an event or has ended; false when dead letters must go out first.
bool Importer::advance(std::size_t index) {
  Source& source = *sources_[index];
  while (!source.has_event() && !source.ended && dead_letters_.size() < kDeadLettersAtOnce)
    read_row(source);
  if (source.has_event()) put_in_order(index);
  return source.has_event() || source.ended;
}

// Ties go to the file that was named first.
std::pair<Timestamp, std::size_t> Importer::turn_of(std::size_t index) const {
  return {sources_[index]->time(), index};
}

void Importer::put_in_order(std::size_t index) {
  heap_.push_back(index);
  std::ranges::push_heap(heap_, std::greater<>(), [this](std::size_t at) { return turn_of(at); });
}

void Importer::read_row(Source& source) {
  source.events.clear();
  source.next_event = 0;
  ImportRow row;
  auto read = source.rows->next(row);
  if (!read || !*read) {
    source.ended = true;
    if (!read) file_errors_.push_back(std::move(read.error()));
    return;
  }
  ++totals_.rows;
  Checked<void> mapped;
  if (row.refusal)
    mapped = std::unexpected(*row.refusal);
  else
    mapped = source.mapper->map(row, shift_, source.events);
  if (!mapped) {
    // A row is a whole: what it gave before it was refused is not sent.
    source.events.clear();
    ++totals_.dead_letters;
    ImportItem& letter = dead_letters_.emplace_back();
    letter.kind = ImportItem::Kind::dead_letter;
    letter.source = source.path;
    letter.line = row.number;
    letter.bytes = row.bytes;
    letter.refusal = std::move(mapped.error());
    return;
  }
  ++(source.events.empty() ? totals_.skipped : totals_.mapped);
}

bool Importer::next(ImportItem& item) {
  for (;;) {
    if (next_dead_letter_ < dead_letters_.size()) {
      item = std::move(dead_letters_[next_dead_letter_++]);
      return true;
    }
    dead_letters_.clear();
    next_dead_letter_ = 0;
    std::erase_if(hungry_, [this](std::size_t at) { return advance(at); });
    if (!dead_letters_.empty()) continue;
    if (heap_.empty()) return false;
    std::ranges::pop_heap(heap_, std::greater<>(), [this](std::size_t at) { return turn_of(at); });
    const std::size_t index = heap_.back();
    heap_.pop_back();
    Source& source = *sources_[index];
    MappedEvent& event = source.events[source.next_event++];
    ++(event.kind == EventKind::impression ? totals_.impressions : totals_.clicks);
    item = {};
    item.topic = event.kind;
    item.json = std::move(event.json);
    item.event_time = event.time;
    if (source.has_event())
      put_in_order(index);
    else
      hungry_.push_back(index);
    return true;
  }
}

// The latest time of all events; reads everything.
Timestamp Importer::last_time() {
  Timestamp last = Timestamp::lowest();
  ImportItem item;
  while (next(item))
    if (item.kind == ImportItem::Kind::event) last = std::max(last, item.event_time);
  return last;
}

ImportTotals Importer::totals() const {
  ImportTotals out = totals_;
  out.bytes_read = 0;
  for (const auto& source : sources_) out.bytes_read += source->rows->position();
  return out;
}

}  // namespace adbrook::ads
