#include "cars/car_answers.h"

#include <algorithm>
#include <memory>
#include <tuple>

#include "cars/car_topology.h"
#include "state/key_value_store.h"

namespace adbrook::cars {
namespace {

const state::KeyValueStore& store_of(const stream::TaskView& task, std::string_view name) {
  const auto* store = task.store<state::KeyValueStore>(name);
  ADBROOK_ASSERT(store != nullptr, "the topology has the store that is asked");
  return *store;
}

Result<std::vector<RaisedAlert>> alerts_of(const stream::TaskView& task) {
  std::vector<RaisedAlert> raised;
  const auto& books = store_of(task, kAlertStore);
  books.for_each([&](ByteView key, ByteView row) {
    StoredBook read;
    if (!read_stored(key, row, read)) return;
    for (std::size_t i = 0; i < kAlertKindCount; ++i) {
      const auto kind = static_cast<AlertKind>(i);
      if (read.book.is_raised(kind))
        raised.push_back({std::string(read.car), kind, read.book.raised_at(kind)});
    }
  });
  if (!books.trouble()) return pass(books.trouble().error());
  return raised;
}

auto order(const RaisedAlert& alert) { return std::tie(alert.car, alert.kind); }
auto order(const RouteRow& row) { return std::tie(row.car, row.route); }

// Of a car whose readings lie in several partitions each of their tasks tells a row.
void take_in(RaisedAlert& alert, const RaisedAlert& other) {
  alert.since = std::min(alert.since, other.since);
}
void take_in(RouteRow& row, const RouteRow& other) { row.totals.merge(other.totals); }

template <class Row>
void sort_and_unite(std::vector<Row>& rows) {
  std::ranges::sort(rows, [](const Row& a, const Row& b) { return order(a) < order(b); });
  std::vector<Row> united;
  for (Row& row : rows) {
    if (!united.empty() && order(united.back()) == order(row))
      take_in(united.back(), row);
    else
      united.push_back(std::move(row));
  }
  rows = std::move(united);
}

// One task after the other: what was gathered is owned by the question that is asked next.
template <class Row>
struct Gathering {
  stream::TaskRunner& tasks;
  Result<std::vector<Row>> (*rows_of)(const stream::TaskView&);
  Answer<Rows<Row>> answer;
  Rows<Row> gathered;
};

template <class Row>
void ask_next(std::shared_ptr<Gathering<Row>> state, std::int32_t task) {
  stream::TaskRunner& tasks = state->tasks;
  if (task == tasks.task_count()) {
    sort_and_unite(state->gathered.rows);
    return state->answer(std::move(state->gathered));
  }
  const bool asked = tasks.ask(task, [state, task](const stream::TaskView& view) {
    add_freshness(state->gathered.freshness, view);
    auto rows = state->rows_of(view);
    if (!rows) return state->answer(std::unexpected(rows.error()));
    std::ranges::move(*rows, std::back_inserter(state->gathered.rows));
    ask_next(state, task + 1);
  });
  if (!asked) state->answer(std::unexpected(no_answer(task)));
}

template <class Row>
void gather(stream::TaskRunner& tasks, Result<std::vector<Row>> (*rows_of)(const stream::TaskView&),
            Answer<Rows<Row>> answer) {
  ask_next(std::make_shared<Gathering<Row>>(tasks, rows_of, std::move(answer), Rows<Row>{}), 0);
}

}  // namespace

void ask_for_alerts(stream::TaskRunner& tasks, Answer<Rows<RaisedAlert>> answer) {
  gather(tasks, alerts_of, std::move(answer));
}

void ask_for_routes(stream::TaskRunner& tasks, Answer<Rows<RouteRow>> answer) {
  gather(tasks, routes_of, std::move(answer));
}

Result<std::vector<RouteRow>> routes_of(const stream::TaskView& task) {
  std::vector<RouteRow> rows;
  const auto& totals = store_of(task, kTotalsStore);
  totals.for_each([&](ByteView key, ByteView row) {
    StoredTotals read;
    if (read_stored(key, row, read))
      rows.push_back(
          {std::string(read.key.car), std::string(read.key.route), std::move(read.totals)});
  });
  if (!totals.trouble()) return pass(totals.trouble().error());
  return rows;
}

void add_freshness(Freshness& all, const stream::TaskView& task) {
  // A partition without a car has committed nothing and holds nobody back.
  if (task.committed_at() == Timestamp::lowest()) return;
  all.committed_at = std::min(all.committed_at, task.committed_at());
  all.watermark = std::min(all.watermark, task.watermark());
}

Error no_answer(std::int32_t task) {
  return {ErrorKind::overloaded, "task " + std::to_string(task) +
                                     " does not answer: it is restoring its state or has stopped; "
                                     "/readyz says which, ask again when it is ready"};
}

}  // namespace adbrook::cars
