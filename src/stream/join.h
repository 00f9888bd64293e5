// The event join: children find the one parent whose id they carry, within a window of event time
// behind it. Every child and every parent ends in exactly one outcome; the rules apply in the order
// of judge().
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "state/pending_store.h"
#include "state/seen_store.h"
#include "state/window_store.h"
#include "stream/dedupe.h"
#include "stream/input.h"
#include "stream/operator.h"
#include "stream/rows.h"
#include "stream/waiting_child.h"

namespace adbrook::stream {

struct JoinOptions {
  Millis within = std::chrono::minutes(30);  // how far behind its parent a child may be
  Millis grace = std::chrono::minutes(1);    // how long a child may overtake, a window stays open
  Millis skew = std::chrono::seconds(2);     // how far before its parent a child may seem to be
  Bytes pending_budget = 64_MiB;             // children that wait for an unknown parent
  // The words of the outcomes' reasons, as they are counted and reported.
  std::string parent_filtered = "parent_filtered";
  std::string before_parent = "before_parent";
  std::string window_closed = "window_closed";
  std::string unknown = "unknown";
};

// A child inside a join: its time and id.
using ChildRef = state::WindowChild;

// A parent whose window is open, as the policy sees it.
template <class Row>
struct ParentRef {
  Uuid id;
  Timestamp time;
  const Row& row;
};

// What a topology does at each moment of a join. All calls are inlined and made in a fixed order.
template <class Policy, class Parent, class Child>
concept JoinPolicy = requires(
    Policy& policy, const Parent& parent, const Child& child, const RowMeta& meta,
    const ParentRef<typename Policy::Row>& ref, const ChildRef* earlier, const ChildRef& first,
    std::span<const ChildRef> children, Outcome outcome, std::string_view reason) {
  requires std::is_trivially_copyable_v<typename Policy::Row>;
  // A new parent; the Row is what is kept of it while its window is open.
  { policy.counted(parent, meta) } -> std::same_as<typename Policy::Row>;
  // A child found its parent.
  policy.joined(child, meta, ref);
  // The child with the smallest (time, id) is now `first`; before it was `earlier` or nobody.
  policy.first_moved(ref, earlier, first);
  // The window is closed, once per parent: all joined children by (time, id).
  policy.summary(ref, children);
  // A child ended otherwise.
  policy.ended(child, meta, outcome, reason);
};

template <class P, class C, class Key, class Policy>
class Join final : public Operator {
  using Row = typename Policy::Row;
  struct Kept {
    Uuid id;
    Row row;
  };
  static_assert(std::is_trivially_copyable_v<Kept>);

 public:
  Join(std::string name, RowKind<P>& parent_kind, RowKind<C>& child_kind, Dedupe<P>& parents,
       Key key, JoinOptions options, Policy policy, TaskContext& context)
      : name_(std::move(name)),
        parent_kind_(parent_kind),
        child_kind_(child_kind),
        seen_(parents.seen()),
        key_(std::move(key)),
        options_(std::move(options)),
        policy_(std::move(policy)),
        context_(context),
        open_(bucket_of(options_)),
        waiting_({.budget = options_.pending_budget, .hash_seed = context.hash_seed}),
        parents_(*this),
        excluded_parents_(*this),
        children_(*this) {
    ADBROOK_ASSERT(options_.within + options_.grace <= parents.horizon(),
                   "a parent is known at least as long as its window is open");
    for (const std::string* text : {&options_.parent_filtered, &options_.before_parent,
                                    &options_.window_closed, &options_.unknown})
      context_.counts.reason(*text);
  }

  std::string describe() const override {
    return "join " + name_ + " within " + format_duration(options_.within) + " grace " +
           format_duration(options_.grace) + " skew " + format_duration(options_.skew);
  }
  std::vector<std::string> store_names() const { return {open_name(), waiting_name()}; }
  Consumer<P>& parents() { return parents_; }
  Consumer<P>& excluded_parents() { return excluded_parents_; }
  Consumer<C>& children() { return children_; }

  // Waiting children first: a window that closes now cannot take them any more anyway.
  void on_watermark(Timestamp watermark) override {
    waiting_.take_passed(watermark, [&](Uuid, Timestamp, ByteView payload) {
      revive(payload, [&](const C& child, const RowMeta& meta) {
        end(child, meta, Outcome::orphan, options_.unknown);
      });
    });
    // "Passes" is strict: a window is closed when the watermark is above time + within + grace.
    const Timestamp limit = watermark - options_.within - options_.grace - Millis(1);
    open_.take_closed(limit, [&](Timestamp time, state::WindowRef, const Kept& kept,
                                 std::span<const ChildRef> children) {
      policy_.summary(ParentRef<Row>{kept.id, time, kept.row}, children);
    });
  }

  void save(state::Checkpoint& checkpoint) override {
    open_.save(checkpoint, open_name());
    waiting_.save(checkpoint, waiting_name());
  }
  Result<void> load(const state::Checkpoint& checkpoint) override {
    if (auto loaded = open_.load(checkpoint, open_name()); !loaded) return loaded;
    return waiting_.load(checkpoint, waiting_name());
  }
  std::int64_t memory() const override { return open_.memory().count + waiting_.memory().count; }
  bool full() const override { return waiting_.full(); }
  std::uint64_t pending_count() const override { return waiting_.count(); }

 private:
  static constexpr std::int64_t kBucketsPerWindow = 64;

  std::string open_name() const { return name_ + "-open"; }
  std::string waiting_name() const { return name_ + "-waiting"; }

  static Millis bucket_of(const JoinOptions& options) {
    return std::max(Millis(1), (options.within + options.grace) / kBucketsPerWindow);
  }

  // The ends that streams attach to.
  struct Parents final : Consumer<P> {
    explicit Parents(Join& join) : join_(join) {}
    void process(const Rows<P>& rows) override {
      for (const std::uint32_t i : rows.selected) join_.take_parent(rows.values[i], rows.meta[i]);
    }
    Join& join_;
  };
  struct ExcludedParents final : Consumer<P> {
    explicit ExcludedParents(Join& join) : join_(join) {}
    void process(const Rows<P>& rows) override {
      for (const std::uint32_t i : rows.selected)
        join_.judge_waiting(join_.parent_kind_.id(rows.values[i]));
    }
    Join& join_;
  };
  struct Children final : Consumer<C> {
    explicit Children(Join& join) : join_(join) {}
    void process(const Rows<C>& rows) override {
      for (const std::uint32_t i : rows.selected)
        join_.seen_.prefetch(std::invoke(join_.key_, rows.values[i]));
      for (const std::uint32_t i : rows.selected) join_.judge(rows.values[i], rows.meta[i]);
    }
    Join& join_;
  };

  // The dedupe store leads from the parent's id to its row: one index serves both.
  void take_parent(const P& parent, const RowMeta& meta) {
    const Uuid id = parent_kind_.id(parent);
    const auto ref = open_.add(parent_kind_.time(parent), Kept{id, policy_.counted(parent, meta)});
    seen_.set_link(meta.seen, ref);
    context_.counts.settle(meta.arrival, Outcome::counted);
    judge_waiting(id);
  }

  // A parent became known: its waiting children are judged as if they arrived now.
  void judge_waiting(Uuid parent) {
    if (waiting_.count() == 0) return;
    waiting_.take(parent, [&](Timestamp, ByteView payload) {
      revive(payload, [&](const C& child, const RowMeta& meta) { judge(child, meta); });
    });
  }

  // The rows of the table, in its order; each comparison is exact in time, whatever the buckets.
  void judge(const C& child, const RowMeta& meta) {
    const Timestamp time = child_kind_.time(child);
    const Uuid parent_id = std::invoke(key_, child);
    const auto parent = seen_.find(parent_id, context_.watermark);
    if (!parent) return wait_or_end(child, meta, parent_id, time);
    if (parent->excluded || parent->link == state::SeenStore::kNoLink)
      return end(child, meta, Outcome::filtered, options_.parent_filtered);
    if (time - parent->time < -options_.skew)
      return end(child, meta, Outcome::orphan, options_.before_parent);
    if (time - parent->time > options_.within) return end(child, meta, Outcome::expired, {});
    if (parent->time + options_.within + options_.grace < context_.watermark)
      return end(child, meta, Outcome::late, options_.window_closed);
    attach(child, meta, parent_id, *parent);
  }

  // The first child is the smallest by (time, id), so it does not depend on the order of arrival.
  void attach(const C& child, const RowMeta& meta, Uuid parent_id, const state::Seen& parent) {
    const Kept* kept = open_.find(parent.time, parent.link);
    ADBROOK_ASSERT(kept != nullptr, "a window is open until the watermark passes its end");
    const ParentRef<Row> ref{parent_id, parent.time, kept->row};
    const ChildRef* before = open_.first_child(parent.time, parent.link);
    const std::optional<ChildRef> earlier = before ? std::optional(*before) : std::nullopt;
    const ChildRef added{child_kind_.time(child), child_kind_.id(child)};
    open_.add_child(parent.time, parent.link, added);
    context_.counts.settle(meta.arrival, Outcome::joined);
    policy_.joined(child, meta, ref);
    if (!earlier || added < *earlier)
      policy_.first_moved(ref, earlier ? &*earlier : nullptr, added);
  }

  // It waits as the bytes it was received with: its texts are views that end with the step.
  void wait_or_end(const C& child, const RowMeta& meta, Uuid parent_id, Timestamp time) {
    if (context_.watermark > time + options_.grace)
      return end(child, meta, Outcome::orphan, options_.unknown);
    encode_waiting_child(meta, encoded_);
    waiting_.add(parent_id, time + options_.grace, encoded_);
    context_.counts.wait(meta.arrival);
  }

  // Takes a waiting child apart again and hands it to f(child, meta).
  template <class F>
  void revive(ByteView payload, F f) {
    const WaitingChild waiting = decode_waiting_child(payload);
    C child{};
    Refusal why;
    const bool decoded = child_kind_.decode(waiting.record, child, why);
    ADBROOK_ASSERT(decoded, "a child that waits was decoded from the same bytes before");
    context_.counts.wait_no_more(waiting.meta.arrival);
    f(child, waiting.meta);
  }

  void end(const C& child, const RowMeta& meta, Outcome outcome, std::string_view reason) {
    context_.counts.settle(meta.arrival, outcome,
                           reason.empty() ? ReasonId{} : context_.counts.reason(reason));
    policy_.ended(child, meta, outcome, reason);
  }

  std::string name_;
  RowKind<P>& parent_kind_;
  RowKind<C>& child_kind_;
  state::SeenStore& seen_;
  Key key_;
  JoinOptions options_;
  Policy policy_;
  TaskContext& context_;
  state::WindowStore<Kept> open_;
  state::PendingStore waiting_;
  Buffer encoded_;
  Parents parents_;
  ExcludedParents excluded_parents_;
  Children children_;
};

}  // namespace adbrook::stream
