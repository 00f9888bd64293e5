#include "stream/query/store_show.h"

#include "base/text.h"

namespace adbrook::stream {

// A row whose block is damaged looks to a store like a row that is not there.
Result<void> StoreShow::rows(const StoreQuery& query, ShownRows& to) const {
  if (auto shown = show_rows(query, to); !shown) return shown;
  return trouble();
}

bool ShownRows::begin() {
  if (left_ == 0) {
    more_ = true;
    return false;
  }
  --left_;
  json_.begin_object();
  json_.field("partition", static_cast<std::int64_t>(partition_));
  return true;
}

namespace detail {

Result<void> too_many(std::size_t count) {
  if (count <= kListedCountMax) return {};
  return fail(ErrorKind::invalid, "key: the store holds " + std::to_string(count) +
                                      " rows and lists at most " + std::to_string(kListedCountMax) +
                                      "; name one key, as in ?key=…");
}

std::unexpected<Error> no_key(std::string_view text) {
  return fail(ErrorKind::invalid, "key: '" + printable(text, 100) +
                                      "' is no key of this store; leave it out to see some");
}

}  // namespace detail
}  // namespace adbrook::stream
