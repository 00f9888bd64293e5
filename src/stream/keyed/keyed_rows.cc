#include "stream/keyed/keyed_rows.h"

namespace adbrook::stream {

namespace {

Outcome outcome_of(Ending ending) {
  switch (ending) {
    case Ending::filtered: return Outcome::filtered;
    case Ending::late: return Outcome::late;
    case Ending::rejected: return Outcome::rejected;
    case Ending::none:
    case Ending::forwarded:
    case Ending::counted: break;
  }
  return Outcome::counted;
}

}  // namespace

void RecordLedger::settle(OutcomeCounts& counts) {
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const auto ending = static_cast<Ending>(endings_[i] >> 16);
    if (ending == Ending::forwarded) {
      counts.forward(input_);
      continue;
    }
    counts.settle({input_, records_[i].origin_partition}, outcome_of(ending),
                  {static_cast<std::uint16_t>(endings_[i] & 0xFFFF)});
  }
  records_.clear();
  endings_.clear();
}

}  // namespace adbrook::stream
