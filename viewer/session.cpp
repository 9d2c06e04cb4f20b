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

// --- A teacher's part ------------------------------------------------------------------------------

constexpr std::size_t kMostPatterns = 200, kMostAsks = 50, kLongestText = 2000;

void read_text(const Json& object, const std::string& field, const std::string& place,
               std::string& out) {
  const Json* value = find(object, field);
  if (!value) return;
  if (!value->is_string()) refuse(place + "/" + field, "a text");
  out = value->get<std::string>();
  if (out.size() > kLongestText) refuse(place + "/" + field, "a text of at most 2000 letters");
}

std::vector<std::string> read_list(const Json& object, const std::string& field,
                                   const std::string& place, std::size_t most) {
  std::vector<std::string> list;
  const Json* value = find(object, field);
  if (!value) return list;
  const std::string wanted = "a list of at most " + std::to_string(most) + " texts";
  if (!value->is_array() || value->size() > most) refuse(place + field, wanted);
  for (const Json& text : *value) {
    if (!text.is_string() || text.get_ref<const std::string&>().size() > kLongestText)
      refuse(place + field, wanted);
    list.push_back(text.get<std::string>());
  }
  return list;
}

/// A question: the name of a breakage, or an object that says what it breaks and asks.
Breakage read_ask(const Json& json, int number, const RunOptions& run) {
  const std::string at = "ask/" + std::to_string(number);
  const auto known = [&](const std::string& id) -> const Breakage& {
    if (const Breakage* found = find_breakage(id)) return *found;
    std::string ids;
    for (const Breakage& b : breakages()) ids += (ids.empty() ? "" : ", ") + b.id;
    throw InputError("its field \"" + at + "\" names \"" + id.substr(0, 40) +
                     "\", which cannot be broken: there are " + ids);
  };
  if (json.is_string()) return known(json.get<std::string>());
  if (!json.is_object()) refuse(at, "the name of a breakage, or an object");

  Breakage what;
  std::string name;
  read_text(json, "break", at, name);
  if (!name.empty()) what = known(name);
  if (name.empty()) what.id = "question-" + std::to_string(number);
  read_text(json, "id", at, what.id);
  if (name.empty()) what.title = what.id;
  read_text(json, "title", at, what.title);
  read_text(json, "what", at, what.what);
  read_text(json, "look", at, what.look);
  read_text(json, "panel", at, what.panel);
  read_text(json, "wrong", at, what.wrong);
  if (!what.wrong.empty() &&
      (what.wrong.find('=') == std::string::npos ||
       what.wrong.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.=") !=
           std::string::npos)) {
    refuse(at + "/wrong", "like \"6.1=mask_one_more\"");
  }
  if (find(json, "set")) {
    std::map<std::string, std::string> options;
    read(json, "set", options);
    what.swaps.assign(options.begin(), options.end());
  }
  try {
    (void)with_swaps(run, what.swaps);
  } catch (const InputError& error) {
    throw InputError("its field \"" + at + "/set\" cannot be: " + error.what());
  }
  if (const Json* steps = find(json, "steps"))
    what.steps = long(read_number(*steps, at + "/steps", 1, 100000));
  if (find(json, "measure")) {
    what.measures.clear();
    for (const std::string& id : read_list(json, "measure", at + "/", kMeasures)) {
      int m = 0;
      while (m < kMeasures && info_of(Measure(m)).id != id) ++m;
      if (m == kMeasures)
        refuse(at + "/measure", "made of measures: \"" + id.substr(0, 40) + "\" is none");
      what.measures.push_back(Measure(m));
    }
  } else if (name.empty()) {
    what.measures = {Measure::loss, Measure::validation};
  }

  Question& q = what.question;
  if (find(json, "text")) what.claims.clear();  // they were the other question's
  read_text(json, "text", at, q.text);
  read_text(json, "explanation", at, q.explanation);
  if (find(json, "choices")) q.choices = read_list(json, "choices", at + "/", 4);
  if (const Json* right = find(json, "right"))
    q.right = int(read_number(*right, at + "/right", 1, 4)) - 1;
  if (const std::string problem = problem_of(q); !problem.empty())
    throw InputError("its field \"" + at + "\" is no question: " + problem);
  return what;
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
  session.hidden = read_list(json, "hidden", "", kMostPatterns);
  if (const Json* ask = find(json, "ask")) {
    if (!ask->is_array() || ask->size() > kMostAsks)
      refuse("ask", "a list of at most 50 questions");
    const RunOptions run = session.options.value_or(RunOptions{});
    for (const Json& one : *ask)
      session.ask.push_back(read_ask(one, int(session.ask.size()) + 1, run));
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
