// SPDX-License-Identifier: MIT
#include "fetch/place.hpp"

#include "fetch/failure.hpp"
#include "fetch/names.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace fetch {

place find_place(destination& where, const file_wishes& wishes) {
    place found;
    std::string in_the_way;
    while (std::optional<std::string> noted = where.noted_part(wishes.url)) {
        found.name = *std::move(noted);
        found.left = part_file::take_up(where, wishes, found.name, in_the_way);
        if (found.left) break;
    }
    while (!found.left) {
        found.name = wishes.replaces ? where.claim_to_replace(wishes.base) : where.claim(wishes.base);
        found.left = part_file::take_up(where, wishes, found.name, in_the_way);
        if (in_the_way.empty()) break;
        if (wishes.only_name)
            throw failure{reason::file,
                          fmt::format("{}{}: in the way: {}", where.path_of(found.name), part_suffix, in_the_way)};
    }
    if (wishes.only_name && where.exists(found.name)) where.note_present(found.name);
    found.present = where.present(wishes.base);
    return found;
}

}  // namespace fetch
