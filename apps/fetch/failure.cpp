// SPDX-License-Identifier: MIT
#include "fetch/failure.hpp"

#include <ringlet/http/client.hpp>

namespace fetch {

failure current_failure() {
    try {
        throw;
    } catch (const failure& known) {
        return known;
    } catch (const ringlet::http::protocol_error& malformed) {
        return protocol_failure(malformed.what());
    } catch (const std::system_error& error) {
        return network_failure(error.what());  // those of files are failures already
    } catch (const std::exception& other) {
        return {apps::exit_code::other, other.what()};
    }
}

}  // namespace fetch
