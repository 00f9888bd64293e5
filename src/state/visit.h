// A reference to something callable, so that what calls it for every entry is no template.
#pragma once

#include <utility>

namespace adbrook::state {

// Valid as long as the callable it was made from.
template <class... Arguments>
class Visit {
 public:
  template <class F>
  explicit Visit(F& f)
      : context_(&f), call_([](void* context, Arguments... arguments) {
          (*static_cast<F*>(context))(std::forward<Arguments>(arguments)...);
        }) {}
  void operator()(Arguments... arguments) const {
    call_(context_, std::forward<Arguments>(arguments)...);
  }

 private:
  void* context_;
  void (*call_)(void*, Arguments...);
};

}  // namespace adbrook::state
