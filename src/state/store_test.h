// What the property tests of the stores share: random ids and a checkpoint on a simulated disk, to
// save into and load from at any moment.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "io/random.h"
#include "io/simulated_file_system.h"
#include "io/test_seed.h"
#include "state/checkpoint.h"

namespace adbrook::state {

inline Uuid test_id(std::uint64_t n) { return {n * 0x9E3779B97F4A7C15ull, n}; }

class CheckpointedStore {
 public:
  explicit CheckpointedStore(std::uint64_t seed) : disk_(seed) { reopen(); }

  template <class Store>
  void save(Store& store) {
    ASSERT_TRUE(checkpoint_->begin({}));
    store.save(*checkpoint_, "store");
    const auto done = checkpoint_->commit();
    ASSERT_TRUE(done) << done.error().message;
  }

  // Saves, forgets everything, and gives what a new process would load.
  template <class Store>
  void restart(Store& store, Store empty) {
    save(store);
    disk_.crash();
    reopen();
    const auto done = empty.load(*checkpoint_, "store");
    ASSERT_TRUE(done) << done.error().message;
    store = std::move(empty);
  }

  Checkpoint& checkpoint() { return *checkpoint_; }

 private:
  void reopen() {
    checkpoint_.reset();
    auto opened = Checkpoint::open(disk_, "state/group/0");
    ASSERT_TRUE(opened) << opened.error().message;
    ASSERT_TRUE((*opened)->damage().empty()) << (*opened)->damage().front();
    checkpoint_ = std::move(*opened);
  }

  io::SimulatedFileSystem disk_;
  std::unique_ptr<Checkpoint> checkpoint_;
};

}  // namespace adbrook::state
