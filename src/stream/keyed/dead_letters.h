// Where records go that an operator cannot take: the bytes as they were received, and headers that
// say which operator, why, and where the record lies. Drawn in docs/formats/topics.md.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "stream/keyed/keyed_rows.h"
#include "stream/operator.h"
#include "stream/sink.h"

namespace adbrook::stream {

inline constexpr std::string_view kDefaultDeadLetterTopic = "dead-letters";
inline constexpr std::string_view kThrew = "operator_threw";
inline constexpr std::string_view kKeyMissing = "key_missing";
inline constexpr std::string_view kValueMissing = "value_missing";
inline constexpr std::string_view kKeyUnreadable = "key_unreadable";
inline constexpr std::string_view kValueUnreadable = "value_unreadable";

// Texts of any length come from users' functions; more of one is cut off.
inline constexpr std::size_t kDeadLetterTextMax = 1000;
// More of a record's key or value is cut off, and a header says how long it was: what arrives may
// be larger than what can be written. The whole record lies where the letter says.
inline constexpr std::size_t kDeadLetterBytesMax = std::size_t{4} << 20;

struct DeadLetterWhy {
  std::string_view operator_name;
  std::string_view reason;  // a stable word, counted
  std::string_view text;    // a sentence for people
};

// Owned by one thread (the task's).
class DeadLetters {
 public:
  DeadLetters(Sink& sink, std::int32_t task_partition)
      : sink_(sink), task_partition_(task_partition) {}

  const std::string& topic() const { return sink_.topic(); }
  void add(const std::string& topic, const TakenRecord& record, const DeadLetterWhy& why);
  // For what no record caused directly: a timer, a final result.
  void add_without_record(Timestamp time, const DeadLetterWhy& why);

 private:
  Sink& sink_;
  std::int32_t task_partition_;
};

// The record that a row came from is rejected, and a dead letter.
template <class K, class V>
void refuse_row(const KeyedRows<K, V>& rows, std::uint32_t row, const DeadLetterWhy& why,
                ReasonId reason, TaskContext& context) {
  rows.mark(row, Ending::rejected, reason);
  if (rows.ledger == nullptr) return context.dead_letters->add_without_record(rows.times[row], why);
  context.dead_letters->add(rows.ledger->topic(), rows.ledger->record(rows.origins[row]), why);
}

// Calls users' functions row by row. A row whose call throws becomes a dead letter and is dropped;
// the others go on. A function that throws always for the same row makes the same on a replay. Not
// so where memory ran out: std::bad_alloc goes on to the task, which stops before the commit.
class RowGuard {
 public:
  RowGuard(std::string operator_name, TaskContext& context)
      : name_(std::move(operator_name)),
        context_(context),
        reason_(context.counts.reason(kThrew)) {}

  const std::string& name() const { return name_; }

  // f(row index) for each selected row. Returns those that went through; valid until the next call.
  template <class K, class V, class F>
  std::span<const std::uint32_t> each(const KeyedRows<K, V>& rows, F f) {
    const auto selected = rows.selected;
    threw_.clear();
    for (std::size_t at = 0; at < selected.size();) {
      try {
        for (; at < selected.size(); ++at) f(selected[at]);
      } catch (const std::bad_alloc&) {
        throw;
      } catch (const std::exception& error) {
        refuse(rows, selected[at++], error.what());
      } catch (...) {
        refuse(rows, selected[at++], "an exception of unknown type");
      }
    }
    return threw_.empty() ? selected : all_but_threw(selected);
  }

  // f() without a row; false when it threw.
  template <class F>
  bool once(Timestamp time, F f) {
    try {
      f();
      return true;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      context_.dead_letters->add_without_record(time, {name_, kThrew, error.what()});
    } catch (...) {
      context_.dead_letters->add_without_record(time,
                                                {name_, kThrew, "an exception of unknown type"});
    }
    return false;
  }

 private:
  template <class K, class V>
  void refuse(const KeyedRows<K, V>& rows, std::uint32_t row, std::string_view text) {
    threw_.push_back(row);
    refuse_row(rows, row, {name_, kThrew, text}, reason_, context_);
  }
  std::span<const std::uint32_t> all_but_threw(std::span<const std::uint32_t> selected);

  std::string name_;
  TaskContext& context_;
  ReasonId reason_;
  std::vector<std::uint32_t> threw_, went_through_;
};

}  // namespace adbrook::stream
