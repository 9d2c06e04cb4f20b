#include <cmath>

#include "assets/repository.h"
#include "tools/cli/commands.h"
#include "tools/cli/progress.h"

namespace tpp {

OpenedCheckpoint open_checkpoint(const std::filesystem::path& path) {
  const SafeTensors file = SafeTensors::open(path);
  const Metadata& metadata = file.metadata();
  const auto tokenizer = metadata.find("tokenizer");
  if (!metadata.contains("option.width") || tokenizer == metadata.end()) {
    throw InputError(path.string() +
                     " holds tensors, but is no checkpoint of this program (its metadata "
                     "do not describe a run): give a file that ./run train wrote");
  }
  OpenedCheckpoint opened;
  try {
    opened.options = options_from_metadata(metadata);
    opened.tokenizer = Tokenizer::deserialise(tokenizer->second);
  } catch (const InputError& e) {
    throw InputError(path.string() + " has damaged metadata: " + e.what());
  }

  if (const auto mine = metadata.find("mine"); mine != metadata.end()) opened.mine = mine->second;

  // A file that asks for a model larger than itself is refused before memory is asked for
  const ModelConfig cfg = model_config(opened.options, opened.tokenizer.vocabulary());
  std::error_code error;
  const double available = double(std::filesystem::file_size(path, error));
  const double block = double(cfg.D) * double(cfg.F + cfg.D);
  if (!error && double(cfg.layers) * block + double(cfg.V) * double(cfg.D) > available) {
    throw InputError(path.string() + " says that it holds a model of " +
                     std::to_string(cfg.layers) + " layers of width " + std::to_string(cfg.D) +
                     ", but is too small for that: the "
                     "file is damaged");
  }
  opened.model = make_model<float>(opened.options, opened.tokenizer.vocabulary());
  opened.state = read_state(file, opened.model->table());
  return opened;
}

SourceConfig source_config(const RunOptions& options) {
  SourceConfig config;
  config.text = options.text;
  config.tokenizer = options.tokenizer;
  config.objective = options.objective;
  config.length = options.length;
  config.seed = options.seed;
  if (options.text == "fables" ||
      options.text == "book") {  // a file or a task needs no folder of ours
    config.root = repository_root();
    config.generated = config.root / "assets" / "generated";
  }
  return config;
}

std::string describe_model(const RunOptions& o, const Model<float>& model) {
  const ModelConfig& cfg = model.config();
  char size[64];
  (void)std::snprintf(size, sizeof size, "%.2f M parameters",
                      double(model.table().numbers()) / 1e6);
  return std::string(size) + ": " + std::to_string(cfg.layers) + " layers of width " +
         std::to_string(cfg.D) + ", " + o.norm + " (" + o.placement + "), " + o.position +
         (o.position == "none" ? " positions, " : ", ") + o.attention + " with " +
         std::to_string(cfg.H) + " heads, " + o.ffn + " of width " + std::to_string(cfg.F) +
         (o.bias ? ", biases" : ", no biases") + (o.tied ? ", tied" : ", not tied");
}

std::string printable(std::string_view text) {
  std::string out;
  const auto escape = [&](unsigned char c) {
    constexpr char kHex[] = "0123456789abcdef";
    out += {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      if ((c >= 0x20 && c != 0x7F) || c == '\n' || c == '\t')
        out += char(c);
      else
        escape(c);
      ++i;
      continue;
    }
    // A whole UTF-8 letter passes, but not the C1 controls (U+0080 to U+009F)
    const std::size_t length = c >= 0xF0 && c < 0xF5 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 0;
    bool whole = length > 0 && c < 0xF5 && i + length <= text.size();
    for (std::size_t j = 1; whole && j < length; ++j) {
      whole = (static_cast<unsigned char>(text[i + j]) & 0xC0) == 0x80;
    }
    if (whole && c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) whole = false;
    if (whole) {
      out += text.substr(i, length);
      i += length;
    } else {
      escape(c);
      ++i;
    }
  }
  return out;
}

}  // namespace tpp
