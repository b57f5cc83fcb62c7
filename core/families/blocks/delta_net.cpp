// Fields of the gated DeltaNet.
#include "core/families/field_setters.h"

namespace automodel::families {

std::vector<Field> delta_net_fields();

std::vector<Field> delta_net_fields() {
  return {
      {"delta_num_key_heads", "key heads of a DeltaNet", size(OF(layer.delta_net.num_key_heads), 1)},
      {"delta_num_value_heads",
       "value heads of a DeltaNet, a multiple of the key heads",
       size(OF(layer.delta_net.num_value_heads), 1)},
      {"delta_key_head_dim", "width of a DeltaNet's key head", size(OF(layer.delta_net.key_head_dim), 1)},
      {"delta_value_head_dim",
       "width of a DeltaNet's value head",
       size(OF(layer.delta_net.value_head_dim), 1)},
      {"delta_conv_kernel", "taps of a DeltaNet's convolution", size(OF(layer.delta_net.conv_kernel), 1, 64)},
  };
}

}  // namespace automodel::families
