// Makes any store of state/ a part of a topology: saved, loaded, measured and moved on with it.
#pragma once

#include <string>
#include <utility>

#include "stream/operator.h"

namespace adbrook::stream {

template <class Store>
class StoreOperator final : public Operator {
 public:
  template <class... Options>
  explicit StoreOperator(std::string name, Options&&... options)
      : name_(std::move(name)), store_(std::forward<Options>(options)...) {}

  Store& store() { return store_; }

  std::string describe() const override { return "store " + name_; }
  void on_watermark(Timestamp watermark) override {
    if constexpr (requires { store_.advance(watermark); }) store_.advance(watermark);
  }
  void open(state::Checkpoint& checkpoint) override {
    if constexpr (requires { store_.open(checkpoint); }) store_.open(checkpoint);
  }
  Result<void> trouble() const override {
    if constexpr (requires { store_.trouble(); }) {
      if (!store_.trouble()) return pass(store_.trouble().error(), "store " + name_);
    }
    return {};
  }
  void save(state::Checkpoint& checkpoint) override { store_.save(checkpoint, name_); }
  Result<void> load(const state::Checkpoint& checkpoint) override {
    return store_.load(checkpoint, name_);
  }
  std::int64_t memory() const override { return store_.memory().count; }
  bool full() const override {
    if constexpr (requires { store_.full(); }) return store_.full();
    return false;
  }

 private:
  std::string name_;
  Store store_;
};

}  // namespace adbrook::stream
