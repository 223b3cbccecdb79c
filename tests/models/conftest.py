"""Every test of this folder starts without the iteration counts that another one has left."""

import pytest
from mmengine.logging import MessageHub


@pytest.fixture(autouse=True)
def message_hub(request):
    name = request.node.nodeid
    yield MessageHub.get_instance(name)
    MessageHub._instance_dict.pop(name)
