// The right and the duty to answer one request, once, from any thread, now or later.
// A durable acknowledgement is a responder that travels with the append and answers in its
// callback.
#pragma once

#include <functional>
#include <utility>

#include "base/assert.h"
#include "http/message.h"
#include "http/problem.h"

namespace adbrook::http {

// Owned by one thread at a time. Destroyed unanswered, it answers 500, so that no client waits for
// an answer that nobody will give.
class Responder {
 public:
  using Deliver = std::move_only_function<void(Response)>;

  // `deliver` may run on any thread, and once only.
  explicit Responder(Deliver deliver) : deliver_(std::move(deliver)) {}
  Responder(Responder&& other) noexcept : deliver_(std::exchange(other.deliver_, nullptr)) {}
  Responder& operator=(Responder&&) = delete;
  ~Responder() {
    if (deliver_)
      send(problem_response(Problem{.status = 500,
                                    .title = {},
                                    .detail = "the request was dropped inside the server before it "
                                              "was answered; try again"}));
  }

  void send(Response response) {
    ADBROOK_ASSERT(deliver_ != nullptr, "a request is answered once");
    std::exchange(deliver_, nullptr)(std::move(response));
  }

 private:
  Deliver deliver_;
};

}  // namespace adbrook::http
