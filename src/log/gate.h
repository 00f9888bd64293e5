// Lets posted steps find out that the object they belong to is gone: an executor may run them late.
#pragma once

#include <memory>
#include <shared_mutex>
#include <utility>

#include "io/executor.h"

namespace adbrook::log {

// Thread-safe.
class Gate {
 public:
  // The step runs unless the gate was shut before it began.
  template <class Body>
  io::Step pass(Body body) const {
    return [entrance = entrance_, body = std::move(body)]() mutable {
      const std::shared_lock lock(entrance->mutex);
      if (entrance->open) body();
    };
  }

  // Returns when no passed step runs; not from inside one.
  void shut() {
    const std::unique_lock lock(entrance_->mutex);
    entrance_->open = false;
  }

 private:
  struct Entrance {
    std::shared_mutex mutex;  // held shared by steps that run, so that shut() waits for them
    bool open = true;
  };
  // Shared with steps that may outlive the owner of the gate.
  std::shared_ptr<Entrance> entrance_ = std::make_shared<Entrance>();
};

}  // namespace adbrook::log
