#include "stream/query/seen_show.h"

#include <memory>
#include <string>
#include <utility>

#include "base/assert.h"
#include "state/seen_store.h"
#include "stream/query/store_show.h"

namespace adbrook::stream {
namespace {

class SeenShow final : public StoreShow {
 public:
  SeenShow(const state::SeenStore& seen, const TaskContext& context)
      : seen_(seen), context_(context) {}

  std::string_view kind() const override { return "ids"; }
  std::size_t count() const override { return seen_.count(); }

 private:
  Result<void> show_rows(const StoreQuery& query, ShownRows& to) const override {
    if (!query.key)
      return fail(ErrorKind::invalid,
                  "key: ids are told one by one; name one, as in ?key=0190a5b2-…");
    const auto id = Uuid::parse(*query.key);
    if (!id) return detail::no_key(*query.key);
    const auto found = seen_.find(*id, context_.watermark);
    if (!found || !to.begin()) return {};
    to.json().field("key", id->to_string());
    to.json().key("value");
    to.json().begin_object();
    to.json().field("excluded", found->excluded);
    to.json().end_object();
    to.json().field("time", format_time(found->time));
    to.end();
    return {};
  }
  // Ids lie in memory, where nothing can fail.
  const Result<void>& trouble() const override { return none_; }

  const state::SeenStore& seen_;
  const TaskContext& context_;
  const Result<void> none_;
};

}  // namespace

void show_seen(Topology& topology, std::string_view store) {
  const auto* seen = topology.find_store<state::SeenStore>(store);
  ADBROOK_ASSERT(seen != nullptr, "the dedupe that is shown was made before");
  topology.show_store(std::string(store), std::make_unique<SeenShow>(*seen, topology.context()));
}

}  // namespace adbrook::stream
