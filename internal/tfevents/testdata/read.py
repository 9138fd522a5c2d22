# Reads the event files of a folder as TensorBoard does, and prints what it finds as JSON.
import json
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2

a = event_accumulator.EventAccumulator(sys.argv[1])
a.Reload()
out = {"scalars": {}, "images": {}, "hparams": {}}
for tag in a.Tags()["scalars"]:
    out["scalars"][tag] = [[e.step, e.value] for e in a.Scalars(tag)]
for tag in a.Tags()["images"]:
    out["images"][tag] = [[e.step, e.width, e.height, len(e.encoded_image_string)] for e in a.Images(tag)]
for tag, content in a.PluginTagToContent("hparams").items() if "hparams" in a._plugin_to_tag_to_content else []:
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    if data.HasField("session_start_info"):
        for name, v in data.session_start_info.hparams.items():
            out["hparams"][name] = getattr(v, v.WhichOneof("kind"))
    if data.HasField("session_end_info"):
        out["ended"] = data.session_end_info.status
json.dump(out, sys.stdout)
