#include "ads/click_service.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include "ads/click_topology.h"
#include "ads/click_views.h"

namespace adbrook::ads {
namespace {

constexpr Millis kCheckInterval{5};

std::string text_of(const state::Dictionary& dictionary, std::uint32_t id) {
  if (const auto number = dictionary.number(id)) return std::to_string(*number);
  return std::string(dictionary.text(id));
}

std::uint32_t dictionary_id(const state::Dictionary& dictionary, const ReportFilter& filter) {
  if (filter.value.empty()) return 0;
  const bool numeric =
      filter.dimension == Dimension::campaign_id || filter.dimension == Dimension::publisher_id;
  if (!numeric) return dictionary.find(std::string_view(filter.value));
  std::int64_t number = 0;
  const auto* end = filter.value.data() + filter.value.size();
  const auto [at, ec] = std::from_chars(filter.value.data(), end, number);
  return ec == std::errc{} && at == end ? dictionary.find(number) : 0;
}

// What a query needs of one view's keys, resolved to the ids of one task.
struct ResolvedQuery {
  std::vector<std::size_t> by;  // parts of the view's key
  std::vector<std::pair<std::size_t, std::uint32_t>> where;
  bool nothing_matches = false;
};

std::size_t part_of(const ViewDeclaration& view, Dimension dimension) {
  return static_cast<std::size_t>(std::ranges::find(view.key(), dimension) - view.key().begin());
}

ResolvedQuery resolve(const ReportQuery& query, const ViewDeclaration& view,
                      const state::Dictionary& dictionary) {
  ResolvedQuery resolved;
  for (const Dimension dimension : query.by) resolved.by.push_back(part_of(view, dimension));
  for (const ReportFilter& filter : query.where) {
    const std::uint32_t id = dictionary_id(dictionary, filter);
    if (id == 0 && !filter.value.empty()) resolved.nothing_matches = true;
    resolved.where.emplace_back(part_of(view, filter.dimension), id);
  }
  return resolved;
}

struct GroupKey {
  std::int64_t bucket_ms;
  std::array<std::uint32_t, kViewKeySizeMax> ids;  // asked parts, then the currency
  friend bool operator==(const GroupKey&, const GroupKey&) = default;
};
struct GroupHash {
  std::size_t operator()(const GroupKey& key) const {
    return xxh3(std::as_bytes(std::span(&key, 1)));
  }
};

// Adds one task's cells to the report. out_of_range when the range cuts through a bucket that is
// kept only whole by now.
Result<void> add_task(const stream::TaskView& task, const ReportQuery& query,
                      ReportBuilder& builder) {
  const auto view_index = choose_view(query);
  if (!view_index) return std::unexpected(view_index.error());
  const ViewDeclaration& view = kViews[*view_index];
  const auto* cells = task.store<ViewCells>(view.name);
  const auto* dictionary = task.store<state::Dictionary>(kDictionaryStore);
  ADBROOK_ASSERT(cells != nullptr && dictionary != nullptr, "the topology has the declared views");
  const ResolvedQuery resolved = resolve(query, view, *dictionary);
  if (resolved.nothing_matches) return {};

  std::unordered_map<GroupKey, MeasureValues, GroupHash> groups;
  Result<void> result;
  cells->for_each({query.from, query.to}, [&](const state::CellBucket& bucket,
                                              std::span<const std::uint32_t> ids,
                                              const ViewCells::Measures& values) {
    for (const auto& [part, id] : resolved.where)
      if (ids[part] != id) return;
    if (bucket.start < query.from || bucket.start + bucket.size > query.to ||
        (query.bucket && *query.bucket < bucket.size)) {
      result = fail(ErrorKind::out_of_range,
                    "from/to/bucket: " + format_time(bucket.start) + " is kept in buckets of " +
                        format_duration(bucket.size) + " by now; ask for whole ones of them");
      return;
    }
    GroupKey key{query.bucket ? bucket_start(bucket.start, *query.bucket).ms : 0, {}};
    for (std::size_t i = 0; i < resolved.by.size(); ++i) key.ids[i] = ids[resolved.by[i]];
    key.ids[resolved.by.size()] = ids[view.part_count - 1];
    combine(groups[key], values);
  });
  if (!result) return result;
  for (const auto& [key, values] : groups) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < query.by.size(); ++i)
      texts.push_back(text_of(*dictionary, key.ids[i]));
    builder.add(std::move(texts),
                query.bucket ? std::optional(Timestamp{key.bucket_ms}) : std::nullopt,
                dictionary->text(key.ids[query.by.size()]), values);
  }
  return {};
}

void add_freshness(std::optional<Freshness>& all, const stream::TaskView& task) {
  const Freshness own{task.committed_at(), task.watermark()};
  if (!all) all = own;
  all->as_of = std::min(all->as_of, own.as_of);
  all->final_until = std::min(all->final_until, own.final_until);
}

}  // namespace

struct ClickService::Waiting {
  ClickService* service;
  stream::TaskRunner::CatchUp catch_up;
  Nanos until;
  std::move_only_function<void(bool)> then;
};

void ClickService::wait_for_commits(Millis wait, std::move_only_function<void(bool)> then) {
  auto waiting = std::make_shared<Waiting>(Waiting{
      this, tasks_.catch_up(), clock_.monotonic() + std::min(wait, kWaitMax), std::move(then)});
  executor_.post([waiting = std::move(waiting)]() mutable { check_again(std::move(waiting)); });
}

void ClickService::check_again(std::shared_ptr<Waiting> waiting) {
  ClickService& service = *waiting->service;
  const auto done = waiting->catch_up.done();
  const bool caught_up = done.has_value() && *done;
  if (caught_up || !done || service.clock_.monotonic() >= waiting->until ||
      !service.tasks_.trouble().empty())
    return waiting->then(caught_up);
  service.executor_.post_after(kCheckInterval, [waiting = std::move(waiting)]() mutable {
    check_again(std::move(waiting));
  });
}

Error ClickService::refusal() const {
  const std::string trouble = tasks_.trouble();
  if (!trouble.empty()) return {ErrorKind::closed, "a task has stopped: " + trouble};
  return {ErrorKind::overloaded,
          "the tasks are still reading their state back after a start; ask again in a moment"};
}

void ClickService::ask_all(std::shared_ptr<std::function<void(const stream::TaskView&)>> each,
                           std::move_only_function<void(Result<void>)> then, std::int32_t next) {
  if (next == tasks_.task_count()) return then({});
  auto rest = std::make_shared<std::move_only_function<void(Result<void>)>>(std::move(then));
  const bool asked = tasks_.ask(next, [this, each, rest, next](const stream::TaskView& task) {
    (*each)(task);
    executor_.post([this, each, rest, next] { ask_all(each, std::move(*rest), next + 1); });
  });
  if (!asked) executor_.post([this, rest] { (*rest)(std::unexpected(refusal())); });
}

void ClickService::report(ReportQuery query, Millis wait, Answer<Report> answer) {
  struct Gathered {
    ReportBuilder builder;
    std::optional<Freshness> freshness;
    Result<void> result;
  };
  wait_for_commits(wait, [this, query = std::move(query),
                          answer = std::move(answer)](bool) mutable {
    auto gathered = std::make_shared<Gathered>(Gathered{ReportBuilder(query), {}, {}});
    auto each = std::make_shared<std::function<void(const stream::TaskView&)>>(
        [gathered, query = std::move(query)](const stream::TaskView& task) {
          add_freshness(gathered->freshness, task);
          if (auto added = add_task(task, query, gathered->builder); !added)
            gathered->result = added;
        });
    ask_all(std::move(each), [gathered, answer = std::move(answer)](Result<void> asked) mutable {
      if (!asked) return answer(std::unexpected(asked.error()));
      if (!gathered->result) return answer(std::unexpected(gathered->result.error()));
      answer(std::move(gathered->builder).finish(gathered->freshness.value_or(Freshness{})));
    });
  });
}

void ClickService::audit(Millis wait, Answer<Audit> answer) {
  wait_for_commits(wait, [this, answer = std::move(answer)](bool caught_up) mutable {
    const std::int64_t left = behind();
    auto builder = std::make_shared<AuditBuilder>(tasks_.task_count());
    auto each = std::make_shared<std::function<void(const stream::TaskView&)>>(
        [builder](const stream::TaskView& task) { builder->add(task); });
    // What arrives while the tasks are asked one after the other is in some of the sums only.
    ask_all(std::move(each), [this, builder, caught_up, left,
                              answer = std::move(answer)](Result<void> asked) mutable {
      if (!asked) return answer(std::unexpected(asked.error()));
      const bool still = caught_up && left == 0 && behind() == 0;
      answer(std::move(*builder).finish(still, std::max(left, behind())));
    });
  });
}

void ClickService::cells(CellsRequest request, Answer<std::vector<CellRow>> answer) {
  using Key = std::tuple<Timestamp, Millis, std::vector<std::string>>;
  auto merged = std::make_shared<std::map<Key, MeasureValues>>();
  auto each = std::make_shared<std::function<void(const stream::TaskView&)>>(
      [merged, request](const stream::TaskView& task) {
        const auto* cells = task.store<ViewCells>(kViews[request.view_index].name);
        const auto* dictionary = task.store<state::Dictionary>(kDictionaryStore);
        ADBROOK_ASSERT(cells != nullptr && dictionary != nullptr, "the topology has its views");
        cells->for_each({request.from, request.to},
                        [&](const state::CellBucket& bucket, std::span<const std::uint32_t> ids,
                            const ViewCells::Measures& values) {
                          std::vector<std::string> key;
                          for (const std::uint32_t id : ids)
                            key.push_back(text_of(*dictionary, id));
                          combine((*merged)[{bucket.start, bucket.size, std::move(key)}], values);
                        });
      });
  ask_all(std::move(each), [merged, answer = std::move(answer)](Result<void> asked) mutable {
    if (!asked) return answer(std::unexpected(asked.error()));
    std::vector<CellRow> rows;
    rows.reserve(merged->size());
    for (auto& [key, values] : *merged)
      if (values != MeasureValues{})
        rows.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), values});
    answer(std::move(rows));
  });
}

std::int64_t ClickService::behind() {
  std::int64_t records = 0;
  const auto positions = tasks_.committed_positions();
  for (std::size_t task = 0; task < positions.size(); ++task) {
    for (std::size_t input = 0; input < positions[task].size(); ++input) {
      const auto ends = bus_.ends({input_topics_[input], static_cast<std::int32_t>(task)});
      if (ends) records += std::max<std::int64_t>(0, ends->end - positions[task][input]);
    }
  }
  return records;
}

}  // namespace adbrook::ads
