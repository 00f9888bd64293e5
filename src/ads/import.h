// Events from files of real data, merged by event time and ready to be sent; what cannot be read
// comes out beside them as dead letters, so that no line is lost. Described in docs/import.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ads/event.h"
#include "ads/event_refusal.h"
#include "ads/import_mapping.h"
#include "ads/import_row.h"
#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"

namespace adbrook::ads {

inline constexpr std::size_t kImportFileCountMax = 4096;

struct ImportOptions {
  std::vector<std::string> paths;
  std::string built_in;            // "usagov", "obd", or empty with a mapping
  std::optional<Mapping> mapping;  // of a mapping file
  // Moves all times by one distance so that the last event is at this time. Reads the files twice.
  std::optional<Timestamp> retime_to;
};

struct ImportItem {
  enum class Kind : std::uint8_t { event, dead_letter };
  Kind kind = Kind::event;
  // An event:
  EventKind topic = EventKind::click;
  std::string json;  // one line, without its end
  Timestamp event_time;
  // A dead letter: the row's bytes as they lie in the file.
  std::string source;  // the file's path
  std::uint64_t line = 0;
  std::string bytes;
  Refusal refusal;
};

struct ImportTotals {
  std::uint64_t rows = 0;  // lines, records or values: skipped + mapped + dead letters
  std::uint64_t skipped = 0;
  std::uint64_t mapped = 0;  // rows that gave events
  std::uint64_t impressions = 0;
  std::uint64_t clicks = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t bytes_read = 0;  // of the files as they lie on the disk
  std::uint64_t bytes_in_all = 0;
};

// Owned by one thread. Holds one row of every file, so memory is bounded by the number of files.
// Each file keeps its own order: disorder in it comes out as disorder.
class Importer {
 public:
  // A missing file, a missing column, a bad mapping: invalid or not_found, before the first event.
  static Result<Importer> open(io::FileSystem& files, ImportOptions options);
  Importer(Importer&&) noexcept;
  Importer& operator=(Importer&&) noexcept;
  ~Importer();

  // False when all files are read. A file that ends in an error (cut gzip, failed read) ends there;
  // the others go on and file_errors() says so.
  bool next(ImportItem& item);

  ImportTotals totals() const;
  const std::vector<Error>& file_errors() const { return file_errors_; }

 private:
  struct Source;
  Importer();

  static Result<Importer> open_all(io::FileSystem& files, std::shared_ptr<const ImportOptions> of);
  Result<void> open_source(io::FileSystem& files, const std::string& path);
  bool advance(std::size_t index);
  std::pair<Timestamp, std::size_t> turn_of(std::size_t index) const;
  void put_in_order(std::size_t index);
  void read_row(Source& source);
  Timestamp last_time();

  // Shared with the mappers' rules across moves and the two passes of a retiming.
  std::shared_ptr<const ImportOptions> options_;
  Millis shift_{0};
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<std::size_t> hungry_;  // sources that must read before the next event is chosen
  std::vector<std::size_t> heap_;    // sources with an event, the earliest first
  std::vector<ImportItem> dead_letters_;
  std::size_t next_dead_letter_ = 0;
  std::vector<Error> file_errors_;
  ImportTotals totals_;
};

}  // namespace adbrook::ads
