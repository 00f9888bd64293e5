// The functions and processors that golden scenarios name: docs/formats/golden-scenario.md. A null
// value gives null, and false for a predicate, unless said otherwise there.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "stream/process/processor.h"

namespace adbrook::stream::golden {

using Text = std::optional<std::string>;
using Predicate = std::function<bool(const Text& key, const Text& value)>;
using ValueFunction = std::function<Text(const Text& value)>;
using PairFunction = std::function<std::pair<Text, Text>(const Text& key, const Text& value)>;
using KeyFunction = std::function<Text(const Text& key, const Text& value)>;
using Reducer = std::function<std::string(const std::string&, const std::string&)>;

// "name:argument".
inline std::pair<std::string, std::string> name_and_argument(const std::string& word) {
  const auto colon = word.find(':');
  if (colon == word.npos) return {word, ""};
  return {word.substr(0, colon), word.substr(colon + 1)};
}

inline Predicate predicate(const std::string& word) {
  const auto [name, argument] = name_and_argument(word);
  if (name == "null") return [](const Text&, const Text& value) { return !value; };
  if (name == "key") return [argument](const Text& key, const Text&) { return key == argument; };
  if (name == "starts")
    return [argument](const Text&, const Text& value) {
      return value && value->starts_with(argument);
    };
  if (name == "above")
    return [least = std::stoll(argument)](const Text&, const Text& value) {
      return value && std::stoll(*value) > least;
    };
  return [argument](const Text&, const Text& value) { return value == argument; };
}

inline ValueFunction value_function(const std::string& word) {
  const auto [name, argument] = name_and_argument(word);
  return [name, argument](const Text& value) -> Text {
    if (!value || name == "void" || (name == "drop" && *value == argument)) return std::nullopt;
    if (name == "append") return *value + argument;
    if (name == "drop") return value;
    std::string upper = *value;
    for (char& c : upper)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return upper;
  };
}

inline Text first_letter(const Text& value) {
  return value && !value->empty() ? Text(value->substr(0, 1)) : std::nullopt;
}
inline std::pair<Text, Text> halves(const Text& value) {
  if (!value) return {};
  auto [front, back] = name_and_argument(*value);
  return {std::move(front), std::move(back)};
}

inline PairFunction pair_function(const std::string& name) {
  if (name == "swap")
    return [](const Text& key, const Text& value) { return std::pair(value, key); };
  if (name == "first")
    return [](const Text&, const Text& value) { return std::pair(first_letter(value), value); };
  return [](const Text&, const Text& value) { return halves(value); };
}

inline KeyFunction key_function(const std::string& name) {
  if (name == "value") return [](const Text&, const Text& value) { return value; };
  if (name == "first") return [](const Text&, const Text& value) { return first_letter(value); };
  return [](const Text&, const Text& value) { return halves(value).first; };
}

template <class F>
void for_each_part(const Text& value, F f) {
  if (!value || value->empty()) return;
  std::string_view rest = *value;
  for (;;) {
    const auto comma = rest.find(',');
    f(std::string(rest.substr(0, comma)));
    if (comma == rest.npos) return;
    rest.remove_prefix(comma + 1);
  }
}
inline void words(const Text&, const Text& value, Emit<Text, Text> emit) {
  int index = 0;
  for_each_part(value, [&](std::string part) { emit(std::move(part), std::to_string(index++)); });
}
inline constexpr auto split = [](const Text& value, auto&& emit) {
  for_each_part(value, [&](std::string part) { emit(std::move(part)); });
};

inline std::optional<std::int64_t> number_of(const Text& value) {
  return value ? std::optional(std::int64_t{std::stoll(*value)}) : std::nullopt;
}
inline Reducer reducer(const std::string& name) {
  if (name == "max")
    return [](const std::string& a, const std::string& b) {
      return std::stoll(a) < std::stoll(b) ? b : a;
    };
  if (name == "latest") return [](const std::string&, const std::string& b) { return b; };
  return [](const std::string& a, const std::string& b) { return a + "," + b; };
}
inline Reducer taker(const std::string& name) {
  if (name == "latest") return [](const std::string& a, const std::string&) { return a; };
  return [](const std::string& a, const std::string& b) { return a + "-" + b; };
}

// What joins make of their rows.
inline Text joined_texts(const Text& left, const Text& right) {
  return left.value_or("~") + "+" + right.value_or("~");
}

inline void add_to_trace(std::string& trace, const Text& value) {
  trace += "+" + value.value_or("~");
}
inline void take_from_trace(std::string& trace, const Text& value) {
  trace += "-" + value.value_or("~");
}
inline void merge_traces(std::string& trace, const std::string& other) {
  trace = "(" + trace + "&" + other + ")";
}

// Counts records per key; its timer writes all counts at its time.
class Tally {
 public:
  using OutKey = Text;
  using OutValue = Text;

  Tally(ProcessorContext<Text, Text>& context, const std::string& store, Millis every,
        TimerClock clock)
      : context_(context), counts_(context.table<std::string, std::int64_t>(store)) {
    context.every(every, clock, [this](Timestamp now) {
      counts_.for_each([&](const std::string& key, const TableRow<std::int64_t>& row) {
        context_.forward(key, std::to_string(row.value), now);
      });
    });
  }
  void process(const Text& key, const Text&, Timestamp time) {
    if (!key) return;
    const auto row = counts_.find(*key);
    counts_.put(*key, row ? row->value + 1 : 1, time);
  }

 private:
  ProcessorContext<Text, Text>& context_;
  TableStore<std::string, std::int64_t> counts_;
};

// Keeps each key's last value and greatest time; its timer tells keys that were silent for a period
// and forgets them.
class Silence {
 public:
  using OutKey = Text;
  using OutValue = Text;

  Silence(ProcessorContext<Text, Text>& context, const std::string& store, Millis every,
          TimerClock clock)
      : context_(context), last_(context.table<std::string, std::string>(store)) {
    context.every(every, clock, [this, every](Timestamp now) { tell(now, every); });
  }
  void process(const Text& key, const Text& value, Timestamp time) {
    if (!key) return;
    const auto row = last_.find(*key);
    last_.put(*key, value.value_or(""), row ? std::max(row->time, time) : time);
  }

 private:
  void tell(Timestamp now, Millis every) {
    std::vector<std::string> silent;
    last_.for_each([&](const std::string& key, const TableRow<std::string>& row) {
      if (row.time > now - every) return;
      context_.forward(key, row.value, now);
      silent.push_back(key);
    });
    for (const std::string& key : silent) last_.erase(key);
  }

  ProcessorContext<Text, Text>& context_;
  TableStore<std::string, std::string> last_;
};

}  // namespace adbrook::stream::golden
