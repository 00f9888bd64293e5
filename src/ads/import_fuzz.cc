// Invariants of import over one file of any bytes (the first byte chooses format and mapping):
//  1. no bytes crash it, and it ends;
//  2. every row is skipped, mapped or a dead letter;
//  3. every event it makes is accepted at the edge.
#include "ads/edge_json.h"
#include "ads/import.h"
#include "base/assert.h"
#include "io/simulated_file_system.h"

namespace adbrook::ads {
namespace {

ImportOptions options_for(unsigned choice) {
  ImportOptions options;
  if (choice % 4 == 0) {
    options.built_in = "usagov";
    options.paths = {"a.gz"};
    return options;
  }
  Mapping mapping{.name = "fuzz"};
  mapping.fields = {{.field = "timestamp", .column = "t", .form = ColumnForm::seconds},
                    {.field = "campaignId", .column = "c", .form = ColumnForm::hash},
                    {.field = "pubId", .constant = "1"},
                    {.field = "city", .column = "c"}};
  options.mapping = mapping;
  options.paths = {choice % 4 == 1 ? "a.csv" : choice % 4 == 2 ? "a.ndjson" : "a.avro"};
  return options;
}

}  // namespace
}  // namespace adbrook::ads

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace adbrook;
  using namespace adbrook::ads;
  if (size == 0) return 0;
  const auto options = options_for(bytes[0]);
  io::SimulatedFileSystem files(1);
  const ByteView content(reinterpret_cast<const std::byte*>(bytes) + 1, size - 1);
  ADBROOK_ASSERT(io::write_file_atomically(files, options.paths[0], content), "memory only");
  auto importer = Importer::open(files, options);
  if (!importer) return 0;
  EventText text;
  JsonEdge<Click> edge({.strict = true}, text);
  std::uint64_t letters = 0;
  for (ImportItem item; importer->next(item);) {
    text.clear();
    if (item.kind == ImportItem::Kind::dead_letter)
      ++letters;
    else
      ADBROOK_ASSERT(edge.read(item.json), "import sends only what the edge accepts");
  }
  const ImportTotals totals = importer->totals();
  ADBROOK_ASSERT(totals.dead_letters == letters, "dead letters are counted");
  ADBROOK_ASSERT(totals.rows == totals.skipped + totals.mapped + letters, "no row is lost");
  return 0;
}
