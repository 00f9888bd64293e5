// Builds the topology that a golden scenario says in words out of the stream library's own, over
// texts only. Kinds of operands as in docs/formats/golden-scenario.md.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "stream/golden/scenario_test.h"
#include "stream/golden/words_test.h"
#include "stream/join/stream_join.h"
#include "stream/join/stream_table_join.h"
#include "stream/join/table_join.h"
#include "stream/process/processor.h"
#include "stream/window/windowed_stream.h"

namespace adbrook::stream::golden {

// What a peek saw, as if written to a topic of its own.
using Seen = std::vector<ScenarioRecord>;

enum class KeyKind { plain, window, session };

using TextStream = KeyedStream<Text, Text>;
using WindowStream = KeyedStream<Windowed<std::string>, Text>;
using TextTable = Table<std::string, std::string>;

struct Group {
  TextStream stream;
};
struct TableGroup {
  TextTable table;
  std::string function;
};
struct WindowedGroup {
  TextStream stream;
  std::variant<TumblingWindow, HoppingWindow, SessionWindow> windows;
};
struct WindowRows {
  WindowStream rows;
  KeyKind kind;
};
struct WindowTable {
  WindowRows updates, finals;
};
using Made =
    std::variant<TextStream, TextTable, Group, TableGroup, WindowedGroup, WindowRows, WindowTable>;

class TopologyOfWords {
 public:
  TopologyOfWords(const Scenario& scenario, Topology& topology, Seen& seen)
      : scenario_(scenario), topology_(topology), seen_(seen) {}

  void build() {
    for (const ScenarioOperator& made : scenario_.topology) add(made);
  }
  // How the keys of the topics are written, for the reader of what came out.
  const std::map<std::string, KeyKind>& topics() const { return topics_; }

 private:
  static std::string option(const ScenarioOperator& made, std::string_view name) {
    for (const auto& option : made.options)
      if (option.name == name) return option.value;
    return "";
  }
  static Millis millis(const ScenarioOperator& made, std::string_view name) {
    return Millis(std::stoll(option(made, name)));
  }
  const Made& operand(const ScenarioOperator& made, std::size_t index = 0) const {
    return made_.at(made.operands.at(index));
  }
  template <class T>
  const T& operand(const ScenarioOperator& made, std::size_t index = 0) const {
    return std::get<T>(operand(made, index));
  }
  template <class T>
  bool is(const ScenarioOperator& made, std::size_t index = 0) const {
    return std::holds_alternative<T>(operand(made, index));
  }

  void add(const ScenarioOperator& made) {
    const std::string& name = made.name;
    if (name == "to") return add_sink(made);
    if (name == "branch") return add_branch(made);
    if (name == "stream" || name == "table") return put(made, source(made));
    if (name == "filter" || name == "map_values") return put(made, mapped(made));
    if (name == "to_stream" || name == "to_table" || name == "merge" || name == "peek" ||
        name == "repartition" || name == "map" || name == "flat_map" || name == "flat_map_values" ||
        name == "select_key")
      return put(made, streamed(made));
    if (name == "group_by_key" || name == "group_by") return put(made, grouped(made));
    if (name == "tumbling" || name == "hopping" || name == "session")
      return put(made, windowed(made));
    if (name == "final") return put(made, operand<WindowTable>(made).finals);
    if (name == "process") return put(made, processed(made));
    if (name.ends_with("join")) return put(made, joined(made));
    put(made, aggregated(made));
  }
  void put(const ScenarioOperator& made, Made result) {
    made_.emplace(made.results.at(0), std::move(result));
  }

  // Kafka Streams keeps a source's table only when somebody has to know its old rows.
  bool old_rows_matter(const std::string& name) const {
    for (const ScenarioOperator& made : scenario_.topology) {
      const bool used = std::ranges::find(made.operands, name) != made.operands.end();
      if (!used || made.name == "to" || made.name == "to_stream") continue;
      if (made.name != "filter" && made.name != "map_values") return true;
      if (old_rows_matter(made.results.at(0))) return true;
    }
    return false;
  }
  Made source(const ScenarioOperator& made) {
    const std::string& topic = made.operands.at(0);
    if (made.name == "stream") return topology_.stream<Text, Text>(topic);
    const std::string& result = made.results.at(0);
    return old_rows_matter(result) ? topology_.table<std::string, std::string>(result, topic)
                                   : topology_.table_updates<std::string, std::string>(topic);
  }

  Made mapped(const ScenarioOperator& made) {
    const std::string& name = made.results.at(0);
    if (made.name == "filter") {
      const Predicate keep = predicate(option(made, "if"));
      if (is<TextTable>(made))
        return operand<TextTable>(made).filter(
            name, [keep](const std::string& k, const std::string& v) { return keep(k, v); });
      if (is<TextStream>(made)) return operand<TextStream>(made).filter(name, keep);
      const auto& rows = operand<WindowRows>(made);
      return WindowRows{rows.rows.filter(name, [keep](const Windowed<std::string>& k,
                                                      const Text& v) { return keep(k.key, v); }),
                        rows.kind};
    }
    const ValueFunction f = value_function(option(made, "by"));
    if (is<TextTable>(made))
      return operand<TextTable>(made).map_values(name, [f](const std::string& v) { return f(v); });
    return operand<TextStream>(made).map_values(name, f);
  }

  Made streamed(const ScenarioOperator& made) {
    const std::string& name = made.results.at(0);
    if (made.name == "to_stream") {
      if (is<WindowTable>(made)) return operand<WindowTable>(made).updates;
      if (is<WindowRows>(made)) return operand<WindowRows>(made);
      return text_keys(operand<TextTable>(made).to_stream());
    }
    const auto& in = operand<TextStream>(made);
    if (made.name == "to_table")
      return old_rows_matter(name) ? in.to_table(name) : in.to_table_updates();
    if (made.name == "merge") return in.merge(operand<TextStream>(made, 1));
    if (made.name == "repartition") return in.repartition(option(made, "topic"));
    if (made.name == "peek") {
      const std::string into = option(made, "into");
      return in.peek(name, [into, &seen = seen_](const Text& key, const Text& value) {
        seen.push_back({into, key, value, std::nullopt, std::nullopt});
      });
    }
    if (made.name == "map") return in.map(name, pair_function(option(made, "by")));
    if (made.name == "select_key") return in.select_key(name, key_function(option(made, "by")));
    if (made.name == "flat_map") return in.flat_map<Text, Text>(name, words);
    return in.flat_map_values<Text>(name, split);
  }

  void add_branch(const ScenarioOperator& made) {
    TextStream rest = operand<TextStream>(made);
    for (std::size_t i = 0; i < made.options.size(); ++i) {
      const auto [matching, others] =
          rest.branch(made.results[i], predicate(made.options[i].value));
      made_.emplace(made.results[i], matching);
      rest = others;
    }
    made_.emplace(made.results.back(), rest);
  }

  Made grouped(const ScenarioOperator& made) {
    if (is<TextTable>(made)) return TableGroup{operand<TextTable>(made), option(made, "by")};
    const auto& in = operand<TextStream>(made);
    if (made.name == "group_by_key") return Group{in};
    return Group{in.select_key(made.results.at(0), key_function(option(made, "by")))};
  }

  Made windowed(const ScenarioOperator& made) {
    const auto& in = operand<Group>(made).stream;
    const Millis grace = millis(made, "grace");
    if (made.name == "session")
      return WindowedGroup{in, SessionWindow{.gap = millis(made, "gap"), .grace = grace}};
    if (made.name == "tumbling")
      return WindowedGroup{in, TumblingWindow{.size = millis(made, "size"), .grace = grace}};
    return WindowedGroup{
        in, HoppingWindow{
                .size = millis(made, "size"), .advance = millis(made, "advance"), .grace = grace}};
  }

  Made aggregated(const ScenarioOperator& made) {
    if (is<Group>(made)) return aggregate_group(made, operand<Group>(made).stream);
    if (is<TableGroup>(made)) return aggregate_table(made, operand<TableGroup>(made));
    const auto& group = operand<WindowedGroup>(made);
    return std::visit(
        [&](const auto& windows) { return aggregate_windows(made, group.stream, windows); },
        group.windows);
  }
  TextTable aggregate_group(const ScenarioOperator& made, const TextStream& in) {
    const std::string& store = made.results.at(0);
    const auto group = in.group_by_key();
    if (made.name == "count") return texts(group.count(store));
    if (made.name == "sum")
      return texts(in.map_values("number", number_of).group_by_key().sum(store));
    if (made.name == "reduce") return group.reduce(store, reducer(option(made, "by")));
    return group.aggregate(store, std::string("0"), add_to_trace);
  }
  TextTable aggregate_table(const ScenarioOperator& made, const TableGroup& of) {
    const std::string& store = made.results.at(0);
    const PairFunction pair = pair_function(of.function);
    const auto group =
        of.table.group_by("group", [pair](const std::string& k, const std::string& v) {
          auto [key, value] = pair(k, v);
          return std::pair(std::move(key), value.value_or(""));
        });
    if (made.name == "count") return texts(group.count(store));
    if (made.name == "sum")
      return texts(of.table
                       .group_by("group",
                                 [pair](const std::string& k, const std::string& v) {
                                   const auto [key, value] = pair(k, v);
                                   return std::pair(key, number_of(value).value_or(0));
                                 })
                       .sum(store));
    if (made.name == "reduce")
      return group.reduce(store, reducer(option(made, "by")), taker(option(made, "by")));
    return group.aggregate(store, std::string("0"), add_to_trace, take_from_trace);
  }
  template <class W>
  Made aggregate_windows(const ScenarioOperator& made, const TextStream& in, const W& windows) {
    const std::string& store = made.results.at(0);
    const auto group = in.group_by_key().windowed_by(windows);
    const KeyKind kind = std::is_same_v<W, SessionWindow> ? KeyKind::session : KeyKind::window;
    if (made.name == "count") return texts(group.count(store), kind);
    if (made.name == "sum")
      return texts(
          in.map_values("number", number_of).group_by_key().windowed_by(windows).sum(store), kind);
    if (made.name == "reduce") return texts(group.reduce(store, reducer(option(made, "by"))), kind);
    if constexpr (std::is_same_v<W, SessionWindow>)
      return texts(group.aggregate(store, std::string("0"), add_to_trace, merge_traces), kind);
    else
      return texts(group.aggregate(store, std::string("0"), add_to_trace), kind);
  }

  Made processed(const ScenarioOperator& made) {
    const auto& in = operand<TextStream>(made);
    const std::string& name = made.results.at(0);
    const TimerClock clock =
        option(made, "clock") == "wall" ? TimerClock::wall : TimerClock::event_time;
    if (option(made, "with") == "tally")
      return in.process<Tally>(name, name + "-store", millis(made, "every"), clock);
    return in.process<Silence>(name, name + "-store", millis(made, "every"), clock);
  }

  Made joined(const ScenarioOperator& made) {
    if (is<TextTable>(made)) return joined_tables(made);
    const std::string& store = made.results.at(0);
    const auto& left = operand<TextStream>(made);
    if (is<TextTable>(made, 1)) {
      const auto& table = operand<TextTable>(made, 1);
      if (made.name == "join") return text_keys(left.join(store, table, joined_texts));
      return left.left_join(store, table, joined_texts);
    }
    const auto& right = operand<TextStream>(made, 1);
    const JoinWindows windows{.before = millis(made, "before"),
                              .after = millis(made, "after"),
                              .grace = millis(made, "grace")};
    if (made.name == "join") return text_keys(left.join(store, right, windows, joined_texts));
    if (made.name == "left_join") return left.left_join(store, right, windows, joined_texts);
    return left.outer_join(store, right, windows, joined_texts);
  }
  Made joined_tables(const ScenarioOperator& made) {
    const std::string& store = made.results.at(0);
    const auto& left = operand<TextTable>(made);
    const auto& right = operand<TextTable>(made, 1);
    if (made.name == "join") return left.join(store, right, joined_texts);
    if (made.name == "left_join") return left.left_join(store, right, joined_texts);
    return left.outer_join(store, right, joined_texts);
  }

  void add_sink(const ScenarioOperator& made) {
    const std::string& topic = made.operands.at(1);
    topics_[topic] = KeyKind::plain;
    if (is<TextStream>(made)) return operand<TextStream>(made).to(topic);
    if (is<TextTable>(made)) return operand<TextTable>(made).to(topic);
    const WindowRows& rows =
        is<WindowTable>(made) ? operand<WindowTable>(made).updates : operand<WindowRows>(made);
    topics_[topic] = rows.kind;
    rows.rows.to(topic);
  }

  // The same key in a type that may be null; it belongs to the same partition.
  static TextStream text_keys(const KeyedStream<std::string, Text>& in) {
    const auto key = [](const std::string& k, const Text&) { return Text(k); };
    return in.attach<SelectKey<std::string, Text, Text, decltype(key)>>("text", key);
  }
  template <class V>
  static TextTable texts(const Table<std::string, V>& table) {
    if constexpr (std::is_same_v<V, std::string>)
      return table;
    else
      return table.map_values("text", [](const V& value) { return std::to_string(value); });
  }
  template <class V, class A>
  static WindowTable texts(const WindowedTable<Text, V, A>& table, KeyKind kind) {
    const auto text = [](const std::optional<A>& value) -> Text {
      if (!value) return std::nullopt;
      if constexpr (std::is_same_v<A, std::string>)
        return value;
      else
        return std::to_string(*value);
    };
    return {
        {table.to_stream().map_values("text", text), kind},
        {table.final().map_values("text", [text](const A& value) { return text(value); }), kind}};
  }

  const Scenario& scenario_;
  Topology& topology_;
  Seen& seen_;
  std::map<std::string, Made> made_;
  std::map<std::string, KeyKind> topics_;
};

}  // namespace adbrook::stream::golden
