// A named store as a reader sees it: rows of a table, of windows or of sessions as JSON, without
// their types. Topologies make one for every store that the words of keyed streams name.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "serde/json_writer.h"
#include "state/key_value_store.h"
#include "state/time_store.h"
#include "stream/query/shown.h"
#include "stream/table/table_store.h"

namespace adbrook::stream {

// A listing without a key sorts the whole store while its task waits: of larger ones only single
// keys are told.
inline constexpr std::size_t kListedCountMax = 100'000;

struct StoreQuery {
  std::optional<std::string> key;  // absent: all
  // Of windows: those that begin in [from, to]; of sessions: whose last record lies there.
  Timestamp from = Timestamp::lowest();
  Timestamp to = Timestamp::highest();
  std::size_t limit = 100;
};

// Where the rows go: counts them, and says when it has enough.
class ShownRows {
 public:
  ShownRows(serde::JsonWriter& json, std::int32_t partition, std::size_t limit)
      : json_(json), partition_(partition), left_(limit) {}

  // True when a row may be written now: then write its members and call end().
  bool begin();
  void end() { json_.end_object(); }
  serde::JsonWriter& json() { return json_; }
  std::size_t left() const { return left_; }
  bool more() const { return more_; }  // there was a row too many

 private:
  serde::JsonWriter& json_;
  std::int32_t partition_;
  std::size_t left_;
  bool more_ = false;
};

// Owned by its topology; asked on the task's thread, between commits.
class StoreShow {
 public:
  virtual ~StoreShow() = default;
  virtual std::string_view kind() const = 0;  // table, windows or sessions
  virtual std::size_t count() const = 0;
  // invalid: the key is no key of this store, or without one the store is too large. What cannot
  // be read from the disk is an error too, whatever was told before it.
  Result<void> rows(const StoreQuery& query, ShownRows& to) const;

 private:
  virtual Result<void> show_rows(const StoreQuery& query, ShownRows& to) const = 0;
  virtual const Result<void>& trouble() const = 0;
};

namespace detail {

Result<void> too_many(std::size_t count);
std::unexpected<Error> no_key(std::string_view text);

// The bytes of the key that the text means.
template <class K>
Result<Buffer> key_bytes(const std::string& text) {
  if constexpr (ReadFromText<K>) {
    K key{};
    if (!Shown<K>::parse(text, key)) return no_key(text);
    Buffer scratch;
    const ByteView bytes = encoded(key, scratch);
    return Buffer(bytes.begin(), bytes.end());
  } else {
    return no_key(text);
  }
}

}  // namespace detail

template <class K, class V>
class TableShow final : public StoreShow {
 public:
  explicit TableShow(const state::KeyValueStore& store) : store_(store) {}

  std::string_view kind() const override { return "table"; }
  std::size_t count() const override { return store_.count(); }

 private:
  Result<void> show_rows(const StoreQuery& query, ShownRows& to) const override {
    if (!query.key) {
      if (auto few = detail::too_many(store_.count()); !few) return few;
      store_.for_each([&](ByteView key, ByteView row) { show(key, row, to); });
      return {};
    }
    const auto key = detail::key_bytes<K>(*query.key);
    if (!key) return pass(key.error());
    if (const auto row = store_.get(*key)) show(*key, *row, to);
    return {};
  }
  const Result<void>& trouble() const override { return store_.trouble(); }
  static void show(ByteView key, ByteView row, ShownRows& to) {
    if (!to.begin()) return;
    to.json().key("key");
    show_bytes<K>(to.json(), key);
    to.json().key("value");
    show_bytes<V>(to.json(), row.subspan(kRowTimeSize));
    to.json().field("time", format_time(load_row_time(row.data())));
    to.end();
  }

  const state::KeyValueStore& store_;
};

// Windows and sessions lie in the same kind of store: windows by their start, with the time of
// their youngest record in front of the aggregate; sessions by their last record's time, with the
// first one's in front.
template <class K, class A>
class WindowShow final : public StoreShow {
 public:
  WindowShow(const state::TimeStore& store, std::optional<Millis> size)
      : store_(store), size_(size) {}

  std::string_view kind() const override { return size_ ? "windows" : "sessions"; }
  std::size_t count() const override { return store_.count(); }

 private:
  Result<void> show_rows(const StoreQuery& query, ShownRows& to) const override {
    if (!query.key) {
      if (auto few = detail::too_many(store_.count()); !few) return few;
      store_.for_each(
          query.from, query.to,
          [&](ByteView key, Timestamp at, std::uint32_t, ByteView row) { show(key, at, row, to); });
      return {};
    }
    const auto key = detail::key_bytes<K>(*query.key);
    if (!key) return pass(key.error());
    store_.fetch(*key, query.from, query.to,
                 [&](Timestamp at, std::uint32_t, ByteView row) { show(*key, at, row, to); });
    return {};
  }
  const Result<void>& trouble() const override { return store_.trouble(); }
  void show(ByteView key, Timestamp at, ByteView row, ShownRows& to) const {
    if (!to.begin()) return;
    const Timestamp in_front = load_row_time(row.data());
    to.json().key("key");
    show_bytes<K>(to.json(), key);
    to.json().field("start", format_time(size_ ? at : in_front));
    to.json().field("end", format_time(size_ ? at + *size_ : at));
    to.json().key("value");
    show_bytes<A>(to.json(), row.subspan(kRowTimeSize));
    to.end();
  }

  const state::TimeStore& store_;
  std::optional<Millis> size_;  // absent: sessions
};

}  // namespace adbrook::stream
