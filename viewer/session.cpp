// The session file: JSON, read with suspicion.
#include "viewer/session.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "chapters/01_tensor/errors.h"
#include "chapters/11_gpt/atomic_file.h"

namespace tpp::viewer {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uintmax_t kLargestFile = 1 << 20;  // bytes
constexpr const char* kFormat = "transformer++ session 1";

// --- Reading: each helper leaves the default when the field is missing, and throws when it is odd ---

[[noreturn]] void refuse(const std::string& field, const std::string& wanted) {
  throw InputError("its field \"" + field + "\" is not " + wanted);
}

const Json* find(const Json& object, const std::string& field) {
  const auto it = object.find(field);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

void read(const Json& object, const std::string& field, std::string& out) {
  const Json* value = find(object, field);
  if (!value) return;
  if (!value->is_string()) refuse(field, "a text");
  out = value->get<std::string>();
}

double read_number(const Json& value, const std::string& field, double least, double most) {
  if (!value.is_number()) refuse(field, "a number");
  const double number = value.get<double>();
  if (!(number >= least && number <= most)) {
    std::ostringstream range;
    range << "a number from " << least << " to " << most;
    refuse(field, range.str());
  }
  return number;
}

void read(const Json& object, const std::string& field, std::map<std::string, std::string>& out) {
  const Json* value = find(object, field);
  if (!value) return;
  if (!value->is_object()) refuse(field, "an object");
  for (const auto& [key, text] : value->items()) {
    if (!text.is_string()) refuse(field + "/" + key, "a text");
    out[key] = text.get<std::string>();
  }
}

template <class Number>
void read(const Json& object, const std::string& field, std::optional<Number>& out) {
  const Json* value = find(object, field);
  if (!value) return;
  const double number = read_number(*value, field, 0, 1e9);
  if (number != std::floor(number)) refuse(field, "a whole number");
  out = Number(number);
}

}  // namespace

const char* name_of(Compare compare) {
  return compare == Compare::a ? "a" : compare == Compare::b ? "b" : "difference";
}

std::optional<Compare> compare_named(std::string_view name) {
  for (const Compare compare : {Compare::a, Compare::b, Compare::difference}) {
    if (name == name_of(compare)) return compare;
  }
  return {};
}

std::string to_json(const Session& session) {
  Json json;
  json["format"] = kFormat;
  if (session.options) {
    Json& options = json["options"] = Json::object();
    for (const auto& [name, value] : to_metadata(*session.options)) options[name] = value;
  }
  json["theme"] = session.appearance == Appearance::dark ? "dark" : "light";
  json["zoom"] = session.zoom;
  json["layout"] = session.layout;
  json["tabs"] = session.tabs;
  Json& selected = json["selected"] = Json::object();
  const Place& place = session.selected;
  if (place.step) selected["step"] = *place.step;
  if (place.layer) selected["layer"] = *place.layer;
  if (place.head) selected["head"] = *place.head;
  if (place.query) selected["query"] = *place.query;
  if (place.key) selected["key"] = *place.key;
  if (place.pair) selected["pair"] = *place.pair;
  if (place.parameter) selected["parameter"] = *place.parameter;
  json["speed"] = session.speed;
  json["panels"] = session.panels;
  if (session.fork) {
    Json& fork = json["fork"] = Json::object();
    fork["step"] = session.fork->step;
    Json& swaps = fork["swaps"] = Json::object();
    for (const auto& [name, value] : session.fork->swaps) swaps[name] = value;
    json["compare"] = name_of(session.compare);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Session session_from_json(std::string_view text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw InputError("it is not JSON (byte " + std::to_string(error.byte) + ")");
  }
  if (!json.is_object()) throw InputError("it is not a JSON object");
  std::string format;
  read(json, "format", format);
  if (format != kFormat) refuse("format", std::string("\"") + kFormat + "\"");

  Session session;
  if (find(json, "options")) {
    std::map<std::string, std::string> options;
    read(json, "options", options);
    Metadata metadata;
    for (auto& [name, value] : options) metadata[name] = value;
    session.options = options_from_metadata(metadata);
    (void)make_model<float>(*session.options, 256);  // sizes that cannot be are refused here
  }
  std::string theme = "dark";
  read(json, "theme", theme);
  if (theme != "dark" && theme != "light") refuse("theme", "\"dark\" or \"light\"");
  session.appearance = theme == "dark" ? Appearance::dark : Appearance::light;
  if (const Json* zoom = find(json, "zoom")) {
    session.zoom = float(read_number(*zoom, "zoom", 0.5, 3));
  }
  read(json, "layout", session.layout);
  read(json, "tabs", session.tabs);
  if (const Json* selected = find(json, "selected")) {
    if (!selected->is_object()) refuse("selected", "an object");
    Place& place = session.selected;
    read(*selected, "step", place.step);
    read(*selected, "layer", place.layer);
    read(*selected, "head", place.head);
    read(*selected, "query", place.query);
    read(*selected, "key", place.key);
    read(*selected, "pair", place.pair);
    std::string parameter;
    read(*selected, "parameter", parameter);
    if (!parameter.empty()) place.parameter = parameter;
  }
  if (const Json* speed = find(json, "speed")) {
    session.speed = read_number(*speed, "speed", 0, 1e6);
  }
  read(json, "panels", session.panels);
  if (const Json* fork = find(json, "fork")) {
    if (!fork->is_object()) refuse("fork", "an object");
    ForkPlan plan;
    std::optional<long> step;
    read(*fork, "step", step);
    plan.step = step.value_or(0);
    std::map<std::string, std::string> swaps;
    read(*fork, "swaps", swaps);
    plan.swaps.assign(swaps.begin(), swaps.end());
    if (session.options) (void)with_swaps(*session.options, plan.swaps);
    session.fork = std::move(plan);
    std::string compare = "a";
    read(json, "compare", compare);
    const std::optional<Compare> shows = compare_named(compare);
    if (!shows) refuse("compare", "\"a\", \"b\" or \"difference\"");
    session.compare = *shows;
  }
  return session;
}

void save_session(const std::filesystem::path& path, const Session& session) {
  std::error_code ignored;  // AtomicFile says it better
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  AtomicFile file(path);
  file.write(std::string_view(to_json(session)));
  file.commit();
}

Session load_session(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& why, const std::string& what) -> InputError {
    return InputError("The session file " + path.string() + " cannot be used: " + why + ". " +
                      what);
  };
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw fail(std::filesystem::exists(path, error) ? "it is not a file" : "it does not exist",
               "Name another with --session.");
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size > kLargestFile) {
    throw fail("it is larger than a session can be", "Name another with --session.");
  }
  std::ifstream in(path, std::ios::binary);
  std::string text(std::size_t(size), '\0');
  if (!in.read(text.data(), std::streamsize(size))) {
    throw fail("it cannot be read", "Check its permissions.");
  }
  try {
    return session_from_json(text);
  } catch (const InputError& reason) {
    throw fail(reason.what(), "Delete it to start afresh.");
  }
}

std::filesystem::path default_session_path() {
  const auto folder = [](const char* name) -> std::filesystem::path {
    const char* value = std::getenv(name);
    return value && *value == '/' ? std::filesystem::path(value) : std::filesystem::path();
  };
  if (const auto config = folder("XDG_CONFIG_HOME"); !config.empty()) {
    return config / "transformer++" / "session.json";
  }
  if (const auto home = folder("HOME"); !home.empty()) {
    return home / ".config" / "transformer++" / "session.json";
  }
  return {};
}

}  // namespace tpp::viewer
